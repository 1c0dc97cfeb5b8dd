# Reference for tests/reference/test_multiplicity_reference.py: p.adjust of R's stats package.
# Run in this folder: Rscript p_adjust.R
sets <- list(
  few = c(.012, .034, .0004, .21),
  ties = c(.01, .01, .02, .02, .5, .5, 1),
  one = c(.04),
  tiny = c(1e-300, 3e-16, 4.867405618924754e-16, .049999, .05, .0500001),
  no_order = c(.9, .0001, .5, .003, .03, .0300001, .7, .04, .012, .8, .06, .0009)
)
rows <- do.call(rbind, lapply(names(sets), function(name) {
  p <- sets[[name]]
  data.frame(set = name, p = p, holm = p.adjust(p, "holm"), bh = p.adjust(p, "BH"))
}))
rows[-1] <- lapply(rows[-1], function(x) sprintf("%.17g", x))
write.csv(rows, "p_adjust.csv", row.names = FALSE, quote = FALSE)
