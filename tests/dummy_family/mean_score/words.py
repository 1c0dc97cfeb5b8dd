"""What the methods text says of the means."""


def methods(material, fits):
    """Return how the means were made."""
    return [(("Average scores count every client once.",), fits)]
