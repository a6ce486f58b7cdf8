"""The nouns: holdings, targets, policies, securities, accounts, restrictions."""
