# glmer and glmmTMB on the data of mixed_logit_vs_peers.py.
#
#     Rscript mixed_logit_peers.R <glmer|glmmTMB> <data.csv> <therapist|nested> <out.json>
suppressPackageStartupMessages(library(jsonlite))
arguments <- commandArgs(trailingOnly = TRUE)
peer <- arguments[[1]]
data <- as.data.frame(data.table::fread(arguments[[2]], nThread = 1))
data$therapist <- factor(data$therapist)
data$site <- factor(data$site)
formula <- dropout ~ log_session + alliance_within + alliance_mean + symptoms + (1 | therapist)
if (arguments[[3]] == "nested") formula <- update(formula, . ~ . + (1 | site))

fit_peer <- switch(peer,
  glmer = {
    suppressPackageStartupMessages(library(lme4))
    function() {
      fit <- suppressWarnings(glmer(formula, data, family = binomial))
      list(log_likelihood = as.numeric(logLik(fit)), estimates = unname(fixef(fit)),
           standard_errors = unname(sqrt(diag(as.matrix(vcov(fit))))))
    }
  },
  glmmTMB = {
    suppressPackageStartupMessages(library(glmmTMB))
    function() {
      fit <- suppressWarnings(glmmTMB(formula, data, family = binomial,
                                      control = glmmTMBControl(parallel = 1)))
      list(log_likelihood = as.numeric(logLik(fit)), estimates = unname(fixef(fit)$cond),
           standard_errors = unname(sqrt(diag(vcov(fit)$cond))))
    }
  }
)
# Short fits are repeated within 10 s, at most five times, and the fastest one counts.
elapsed <- c()
processor <- c()
while (length(elapsed) < 5 && sum(elapsed) < 10) {
  gc(FALSE)
  before <- proc.time()
  result <- fit_peer()
  spent <- proc.time() - before
  elapsed <- c(elapsed, spent[["elapsed"]])
  processor <- c(processor, spent[["user.self"]] + spent[["sys.self"]])
}
writeLines(toJSON(c(
  list(elapsed_s = min(elapsed), processor_s = min(processor), runs = length(elapsed),
       version = as.character(packageVersion(if (peer == "glmer") "lme4" else peer))),
  result
), digits = NA, auto_unbox = TRUE), arguments[[4]])
