"""Agreement: whether client and therapist see the same alliance."""
