"""What readers see: queries on the published file that the command line, API and pages share."""
