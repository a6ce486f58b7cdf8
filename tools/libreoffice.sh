#!/bin/sh
# Make sure that the tests have LibreOffice Calc 25.2 or newer, its Python bridge, fonts with
# Excel's letter widths, and pdftoppm. Installs them where apt can, else says what to do.
# Exit 0: there, or missing and optional. Exit 1: missing and XL_REBAL_REQUIRE_ALL=1.
set -eu
. "$(dirname "$0")/apt.sh"

wanted=25.2
packages="libreoffice-calc libreoffice-script-provider-python python3-uno fonts-crosextra-carlito fonts-liberation poppler-utils"
sources_file=/etc/apt/sources.list.d/xl-rebal-backports.sources

give_up() {
    echo "LibreOffice $wanted or newer is missing: $1" >&2
    if [ "${XL_REBAL_REQUIRE_ALL:-}" = 1 ]; then exit 1; fi
    echo "The tests that need it will be skipped." >&2
    exit 0
}

new_enough() { # VERSION [as Debian writes it]
    [ -n "$1" ] && [ "$1" != "(none)" ] && dpkg --compare-versions "${1#*:}" ge "$wanted"
}

all_there() {
    # shellcheck disable=SC2086 # a list of names
    [ "$(dpkg-query -W -f '${db:Status-Status}\n' $packages 2>/dev/null | grep -cx installed)" = \
        "$(echo $packages | wc -w)" ] &&
        new_enough "$(dpkg-query -W -f '${Version}' libreoffice-calc)"
}

candidate() { # [RELEASE]: the version that apt would install
    apt-cache policy ${1:+-t "$1"} libreoffice-calc | sed -n 's/^ *Candidate: *//p'
}

# The address and key of the archive that this machine already uses for its own release, as
# "URI<tab>KEY"; the same archive holds the backports. Reads both formats of apt's sources.
archive() {
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        awk -v release="$VERSION_CODENAME" '
            function finish() {
                if (suites ~ "(^| )" release "( |$)" && uri != "" && enabled != "no") print uri "\t" key
                suites = uri = key = enabled = ""
            }
            /^[[:space:]]*$/ { finish(); next }
            tolower($1) == "suites:"    { $1 = ""; suites = $0 }
            tolower($1) == "uris:"      { uri = $2 }
            tolower($1) == "signed-by:" { key = $2 }
            tolower($1) == "enabled:"   { enabled = tolower($2) }
            END { finish() }' "$file"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        awk -v release="$VERSION_CODENAME" '
            $1 != "deb" { next }
            {
                key = ""; at = 2
                if ($2 ~ /^\[/) {
                    while (at < NF && $at !~ /\]$/) at++
                    if (match($0, /signed-by=[^] ]+/)) key = substr($0, RSTART + 10, RLENGTH - 10)
                    at++
                }
                if ($(at + 1) == release) print $at "\t" key
            }' "$file"
    done
}

enable_backports() {
    found=$(archive | head -n 1)
    uri=$(printf '%s' "$found" | cut -f 1)
    key=$(printf '%s' "$found" | cut -f 2)
    [ -n "$uri" ] || give_up "apt's sources name no archive for $VERSION_CODENAME; enable $VERSION_CODENAME-backports by hand and run this again."
    echo "Enabling $VERSION_CODENAME-backports ($sources_file)"
    {
        echo "# Written by xl_rebal's 'make test' for LibreOffice $wanted; may be deleted."
        echo "Types: deb"
        echo "URIs: $uri"
        echo "Suites: $VERSION_CODENAME-backports"
        echo "Components: main"
        if [ -n "$key" ]; then echo "Signed-By: $key"; fi
    } | as_root tee "$sources_file" >/dev/null
    if ! apt_get update || ! new_enough "$(candidate "$VERSION_CODENAME-backports")"; then
        as_root rm -f "$sources_file"
        give_up "$VERSION_CODENAME-backports of this machine's archive does not have it."
    fi
}

if [ -n "${XL_REBAL_SOFFICE:-}" ]; then
    echo "LibreOffice: $XL_REBAL_SOFFICE (XL_REBAL_SOFFICE)"
    exit 0
fi
if [ "$(uname)" = Darwin ]; then
    [ -x /Applications/LibreOffice.app/Contents/MacOS/soffice ] ||
        give_up "install it in /Applications and, for pdftoppm, 'brew install poppler'."
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    command -v soffice >/dev/null 2>&1 ||
        give_up "this system has no apt; install LibreOffice with its Python bridge (uno) and pdftoppm, or name the program in XL_REBAL_SOFFICE."
    exit 0
fi
if all_there; then exit 0; fi
as_root true || give_up "run 'sh tools/libreoffice.sh' as root once to install it."

. /etc/os-release
apt_get update
release=
if ! new_enough "$(candidate)"; then
    [ "${ID:-}" = debian ] ||
        give_up "${PRETTY_NAME:-this system} offers $(candidate). Install 25.2 or newer (Ubuntu: the LibreOffice PPA, or a release from 25.04 on) and run this again."
    release=$VERSION_CODENAME-backports
    new_enough "$(candidate "$release")" || enable_backports
fi
# shellcheck disable=SC2086 # a list of names
apt_get install -y --no-install-recommends ${release:+-t "$release"} $packages ||
    give_up "apt-get could not install it, see above."
all_there || give_up "apt-get installed $(dpkg-query -W -f '${Version}' libreoffice-calc 2>/dev/null || echo nothing)."
