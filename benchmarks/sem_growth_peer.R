# One growth curve by lavaan: `Rscript sem_growth_peer.R <csv> <ML|MLR>`; prints JSON.
suppressPackageStartupMessages(library(lavaan))
args <- commandArgs(trailingOnly = TRUE)
data <- read.csv(args[[1]])
waves <- names(data)
model <- paste0(
  "i =~ ", paste0("1*", waves, collapse = " + "), "\n",
  "s =~ ", paste0(seq_along(waves) - 1, "*", waves, collapse = " + ")
)
clock <- system.time(
  fit <- suppressWarnings(growth(model, data, missing = "ml", estimator = args[[2]]))
)
cat(sprintf(
  '{"version": "%s", "cpu_s": %.4f, "elapsed_s": %.4f, "log_likelihood": %.8f, "chi2": %.6f}\n',
  as.character(packageVersion("lavaan")), clock[["user.self"]] + clock[["sys.self"]],
  clock[["elapsed"]], as.numeric(logLik(fit)), fitMeasures(fit, "chisq")
))
