"""What players send: read, judged, given to whom it belongs, and put into the inbox."""
