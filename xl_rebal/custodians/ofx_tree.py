"""The element tree of an OFX or QFX file: SGML of version 1, whose end tags may be missing, or XML.

Written here because no library fits (2026): ofxtools may only be used under the GPL, and ofxparse, last
released in 2021 and without types, drops whether a position is short and in which currency it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from xl_rebal.custodians.sheets import Document
from xl_rebal.errors import ReadError

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z0-9._]+)(?P<empty>\s*/)?\s*>|<(?P<odd>[^<]{0,20})")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_DEPTH = 40


@dataclass(slots=True, kw_only=True)
class Element:
    """An aggregate (`children`) or a value (`text`); `line` is where it begins."""

    name: str
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def get(self, *path: str) -> str:
        """The text of the first element on a path of names below; empty when there is none."""
        here: Element | None = self
        for name in path:
            here = next((c for c in here.children if c.name == name), None) if here else None
        return here.text if here is not None else ""

    def child(self, name: str) -> Element | None:
        """The first child of that name."""
        return next((c for c in self.children if c.name == name), None)

    def all(self, name: str) -> Iterator[Element]:
        """Every element of that name below, in order."""
        for child in self.children:
            if child.name == name:
                yield child
            else:
                yield from child.all(name)


def is_ofx(document: Document) -> bool:
    """True for a file that begins with OFX' header or its root element."""
    head = document.head.lstrip("\ufeff \r\n\t")
    return head.startswith("OFXHEADER") or (
        head.startswith("<") and re.search(r"<OFX>|<\?OFX", head[:4096], re.IGNORECASE) is not None
    )


def parse(document: Document) -> Element:
    """The root element `OFX`; raises ReadError where elements are not closed as they were opened."""
    text = document.text.replace("\r\n", "\n").replace("\r", "\n")
    start = re.search(r"<OFX>", text, re.IGNORECASE)
    if start is None:
        raise _broken(document, 1, "it has no element OFX")
    if re.search(r"<!DOCTYPE|<!ENTITY", text, re.IGNORECASE):
        raise _broken(document, 1, "a document type or entity is declared")
    line = text.count("\n", 0, start.start()) + 1
    body = _CDATA.sub(lambda m: html.escape(m[1], quote=False), text[start.start() :])
    root = Element(name="", line=line)
    stack = [root]
    position = 0
    for match in _TAG.finditer(body):
        line += body.count("\n", position, match.start())
        position = match.start()
        if match["odd"] is not None:
            raise _broken(document, line, f"{match[0][:20]!r} is no tag")
        name = match["name"].upper()
        if match["end"]:
            _close(document, stack, name, line)
            continue
        after = body.find("<", match.end())
        value = body[match.end() : after if after >= 0 else len(body)].strip()
        element = Element(name=name, line=line, text=html.unescape(value))
        stack[-1].children.append(element)
        # A value ends by itself; an aggregate, or a value that is left empty, is closed or not.
        if not value and not match["empty"]:
            stack.append(element)
            if len(stack) > _DEPTH:
                raise _broken(document, line, "elements nest too deeply")
    if len(stack) > 1 or len(root.children) != 1:
        raise _broken(document, line, "the file ends before its elements do")
    return root.children[0]


def _close(document: Document, stack: list[Element], name: str, line: int) -> None:
    above = stack[-1].children
    if stack[-1].name == name:
        stack.pop()
    elif above and above[-1].name == name and above[-1].text:
        pass  # `</CODE>` of a value that has ended by itself
    else:
        # Empty values without an end tag (`<MEMO>` and no text) took what followed for children.
        for depth in range(len(stack) - 1, 0, -1):
            if stack[depth].name == name:
                for opened in stack[:depth:-1]:
                    if opened.name in _AGGREGATES:
                        raise _broken(
                            document, line, f"</{name}> stands before <{opened.name}> is closed"
                        )
                _flatten(stack, depth)
                stack.pop()
                return
        raise _broken(document, line, f"</{name}> was never opened")


def _flatten(stack: list[Element], depth: int) -> None:
    """Move what an empty value seemed to hold up to where it belongs, beside the value."""
    while len(stack) - 1 > depth:
        value = stack.pop()
        stack[-1].children += value.children
        value.children = []


# What holds money or units: never taken for an empty value.
_AGGREGATES = frozenset(
    "OFX SIGNONMSGSRSV1 SONRS INVSTMTMSGSRSV1 INVSTMTTRNRS INVSTMTRS INVACCTFROM INVTRANLIST INVPOSLIST "
    "POSMF POSSTOCK POSDEBT POSOPT POSOTHER INVPOS SECID INVBAL BALLIST BAL SECLISTMSGSRSV1 SECLIST "
    "MFINFO STOCKINFO DEBTINFO OPTINFO OTHERINFO SECINFO CURRENCY ORIGCURRENCY STATUS".split()
)


def _broken(document: Document, line: int, what: str) -> ReadError:
    return ReadError.of(
        where=f"{document.name} line {line}",
        what=f"the OFX cannot be used ({what})",
        remedy="download it again",
    )
