# Reference numbers for the public cohort IMPLEMENT (57 clients, 13 therapists, 15 sessions), made by lme4
# alone from implement_sessions.csv, which is no part of this project. Run here:
#   Rscript implement.R /path/to/shared/data/implement/implement_sessions.csv ; it writes implement.json.
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(jsonlite)})
d <- read.csv(commandArgs(trailingOnly = TRUE)[1], stringsAsFactors = FALSE)
# Means of the answered items where at most a quarter is missing, of three parcels at most one.
score <- function(items, fewest) ifelse(rowSums(!is.na(items)) >= fewest, rowMeans(items, na.rm = TRUE), NA)
d$alliance <- score(d[, paste0("wai_", 1:9)], 7)
d$symptoms <- score(d[, paste0("bai_", 1:3)], 2)
d <- d[order(d$client, d$session), ]
key <- paste(d$client, d$session); following <- match(paste(d$client, d$session + 1), key)
for (m in c("alliance", "symptoms")) {
  mean_of <- ave(d[[m]], d$client, FUN = function(v) mean(v, na.rm = TRUE))
  d[[paste0(m, "_within")]] <- d[[m]] - mean_of
  d[[paste0(m, "_between")]] <- mean_of - mean(mean_of[!duplicated(d$client)], na.rm = TRUE)
  d[[paste0(m, "_next")]] <- d[[m]][following]
}
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
take <- function(formula) { f <- lmer(formula, d, control = control); s <- coef(summary(f))
  k <- coef(summary(f, ddf = "Kenward-Roger"))
  list(n = nobs(f), log_likelihood = as.numeric(logLik(f)), estimate = as.list(s[, 1]), se = as.list(s[, 2]),
       kenward_roger = list(se = as.list(k[, 2]), df = as.list(k[, 3]))) }
out <- list(
  alliance_growth = take(alliance ~ session + (1 | therapist) + (1 + session | client)),
  symptoms_growth = take(symptoms ~ session + (1 | therapist) + (1 + session | client)),
  alliance_to_symptoms = take(symptoms_next ~ alliance_within + alliance_between + symptoms_within + session +
    (1 | therapist) + (1 | client)),
  symptoms_to_alliance = take(alliance_next ~ symptoms_within + symptoms_between + alliance_within + session +
    (1 | therapist) + (1 | client)))
write(toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE), "implement.json")
