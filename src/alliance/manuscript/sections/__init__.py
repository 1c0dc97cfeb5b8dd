"""The sections of the methods text; each says only what the files show was done."""
