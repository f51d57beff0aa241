"""One run of the failure lab as one HTML file."""
