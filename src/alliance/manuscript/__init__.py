"""Texts and tables to be taken into a paper: methods, references, tables; Word, Markdown, HTML."""
