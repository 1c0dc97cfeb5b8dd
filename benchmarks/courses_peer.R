# The latent curve model with structured residuals in lavaan, timed: Rscript courses_peer.R rows.csv
# prints the processor seconds of one fit at lavaan's default tolerance. The model is that of
# tests/reference/mixed/courses_lavaan.R.
suppressPackageStartupMessages(library(lavaan))
source_lines <- readLines(file.path(
  dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))),
  "..", "tests", "reference", "mixed", "courses_lavaan.R"))
begin <- grep("^structured <- ", source_lines)
end <- begin + which(source_lines[begin:length(source_lines)] == "}")[1] - 1
both <- c("alliance", "symptoms")
eval(parse(text = source_lines[begin:end]))
frame <- setNames(read.csv(commandArgs(TRUE)[1]), c("client", "session", both))
sessions <- max(frame$session)
wide <- reshape(frame, idvar = "client", timevar = "session", sep = "_", direction = "wide")
time <- system.time(fit <- lavaan(
  structured(sessions), data = wide, meanstructure = TRUE, missing = "fiml", estimator = "ML",
  baseline = FALSE, h1 = FALSE, se = "none", test = "none"))
stopifnot(lavInspect(fit, "converged"))
cat(time[["user.self"]] + time[["sys.self"]], "\n")
