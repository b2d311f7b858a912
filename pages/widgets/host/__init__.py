"""For whoever puts the app in front of others: who a visitor is, and what the host may ask."""
