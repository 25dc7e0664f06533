"""One file per kind of shop. A source knows its shop and `order`; it knows no ledger and no GSS."""
