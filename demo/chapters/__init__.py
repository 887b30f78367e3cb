"""What the services are put through, chapter by chapter."""

from chapters import forgeries, log_in, log_out, refresh, reset, rotation

CHAPTERS = [
    ("One token, two services", log_in.tell),
    ("Refresh tokens rotate, and a stolen one gives itself away", refresh.tell),
    ("Forged, expired, misplaced", forgeries.tell),
    ("Another signing key, and nobody is logged out", rotation.tell),
    ("A password reset works once", reset.tell),
    ("Log out", log_out.tell),
]
