"""GoSweetSpot's customer-orders API: the only package that knows its wire. Knows no ledger and no shop."""

from connector.gosweetspot.answers import Answer, Outcome, Row, Verdict
from connector.gosweetspot.client import Client, pieces
from connector.gosweetspot.destination import Destination
from connector.gosweetspot.records import Proof, ReadBack, Record, proof_of, shows

__all__ = [
    "Answer",
    "Client",
    "Destination",
    "Outcome",
    "Proof",
    "ReadBack",
    "Record",
    "Row",
    "Verdict",
    "pieces",
    "proof_of",
    "shows",
]
