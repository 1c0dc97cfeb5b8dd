"""One writer for each site's habit of exporting: `tables(site)` and `files(tables)`."""
