# Slopes by a hierarchical linear model, as the R package clinicalsignificance takes them:
# empirical Bayes deviation of a client's slope over its conditional standard deviation.
# Data: lme4::sleepstudy (part of R's lme4). Run: Rscript hlm.R
suppressPackageStartupMessages({library(lme4); library(jsonlite)})
fit <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = TRUE)
r <- as.data.frame(ranef(fit, condVar = TRUE))
r <- r[r$term == "Days", ]
r <- r[order(as.character(r$grp)), ]
write(toJSON(list(lme4 = as.character(packageVersion("lme4")),
                  subject = as.character(r$grp), deviation = r$condval, sd = r$condsd),
             digits = 10, pretty = TRUE), "hlm.json")
