# Reference numbers for the workflow's models, made by R alone from panel.csv (part of a simulated
# cohort). Run in this folder: Rscript models.R ; it writes models.json.
# Packages: lme4, lmerTest (Satterthwaite), survival, jsonlite.
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(survival); library(jsonlite)})
panel <- read.csv("panel.csv", stringsAsFactors = FALSE)
panel <- panel[order(panel$site, panel$client, panel$session), ]

client_mean <- function(x) ave(x, panel$client, FUN = function(v) mean(v, na.rm = TRUE))
next_score <- function(x) {
  key <- paste(panel$client, panel$session); wanted <- paste(panel$client, panel$session + 1)
  x[match(wanted, key)]
}
# The last known score, and the mean of the scores before that one (at the first score: itself).
last_known <- function(x) ave(x, panel$client, FUN = function(v)
  sapply(seq_along(v), function(t) { seen <- v[1:t]; seen <- seen[!is.na(seen)]
    if (length(seen)) seen[length(seen)] else NA }))
mean_before <- function(x) ave(x, panel$client, FUN = function(v)
  sapply(seq_along(v), function(t) { seen <- v[1:t]; seen <- seen[!is.na(seen)]
    if (length(seen) > 1) mean(seen[-length(seen)]) else if (length(seen)) seen else NA }))
for (m in c("alliance", "symptoms")) {
  x <- panel[[m]]; mean_of <- client_mean(x)
  first <- !duplicated(panel$client)
  panel[[paste0(m, "_within")]] <- x - mean_of
  panel[[paste0(m, "_between")]] <- mean_of - mean(mean_of[first], na.rm = TRUE)
  panel[[paste0(m, "_next")]] <- next_score(x)
  panel[[paste0(m, "_known")]] <- last_known(x)
  panel[[paste0(m, "_running_within")]] <- last_known(x) - mean_before(x)
  panel[[paste0(m, "_running_between")]] <- mean_before(x) - mean(x, na.rm = TRUE)
}
last <- ave(panel$session, panel$client, FUN = max) == panel$session
# Cause-specific: at risk is who came and whose way on is known, completers included.
panel$event <- ifelse(!last, 0, ifelse(panel$end_status == "dropout", 1,
                 ifelse(panel$end_status %in% c("completed", "transferred"), 0, NA)))
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))

mixed <- function(formula) {
  fit <- lmer(formula, panel, REML = TRUE, control = control)
  s <- coef(summary(fit)); v <- as.data.frame(VarCorr(fit))
  list(log_likelihood = as.numeric(logLik(fit)), n = nobs(fit),
       estimate = as.list(s[, "Estimate"]), se = as.list(s[, "Std. Error"]), df = as.list(s[, "df"]),
       variance = lapply(split(v, seq_len(nrow(v))), function(r) list(level = r$grp, name_1 = r$var1,
         name_2 = r$var2, value = r$vcov)))
}
out <- list(
  alliance_growth = mixed(alliance ~ log_weeks + site + (1 | therapist) + (1 + log_weeks | client)),
  symptom_growth = mixed(symptoms ~ weeks_since_intake + site + (1 | therapist) + (1 + weeks_since_intake | client)),
  alliance_to_symptoms = mixed(symptoms_next ~ alliance_within + alliance_between + symptoms_within +
    weeks_since_intake + site + (1 | therapist) + (1 | client)),
  symptoms_to_alliance = mixed(alliance_next ~ symptoms_within + symptoms_between + alliance_within +
    log_weeks + site + (1 | therapist) + (1 | client)),
  lag_as_it_stands = mixed(symptoms_next ~ alliance_within + alliance_between + symptoms +
    weeks_since_intake + site + (1 | therapist) + (1 | client)))

# Client fixed effects by dummies; covariance clustered by therapist. linearmodels with debiased=True:
# factor G/(G-1) * (N-1)/(N-K), K counting the client constants where clusters do not nest in them.
fe <- panel[complete.cases(panel[, c("symptoms_next", "alliance", "symptoms", "weeks_since_intake")]), ]
fe <- fe[ave(fe$session, fe$client, FUN = length) > 1, ]
within <- function(x) x - ave(x, fe$client)
X <- sapply(fe[, c("alliance", "symptoms", "weeks_since_intake")], within)
y <- within(fe$symptoms_next)
b <- solve(crossprod(X), crossprod(X, y)); e <- drop(y - X %*% b)
meat <- Reduce(`+`, lapply(split(seq_along(e), fe$therapist), function(i) {
  s <- crossprod(X[i, , drop = FALSE], e[i]); tcrossprod(s) }))
bread <- solve(crossprod(X)); V <- bread %*% meat %*% bread
out$fixed_effects <- list(n = length(y), clusters = length(unique(fe$therapist)),
  clients = length(unique(fe$client)), estimate = as.list(setNames(drop(b), colnames(X))),
  se_uncorrected = as.list(setNames(sqrt(diag(V)), colnames(X))))

# Discrete-time hazard; cluster-robust (CR1 without the G/(G-1) factor is given, with G beside it).
d <- panel[complete.cases(panel[, c("event", "alliance_known", "symptoms_known")]), ]
d$log_session <- log(d$session); d$symptoms_c <- d$symptoms_known - mean(d$symptoms_known)
g <- glm(event ~ log_session + alliance_running_within + alliance_running_between + symptoms_c + site,
         binomial, d, control = glm.control(epsilon = 1e-14, maxit = 100))
Z <- model.matrix(g); u <- Z * (d$event - fitted(g))
meat <- crossprod(rowsum(u, d$therapist)); bread <- vcov(g)
V <- bread %*% meat %*% bread
out$dropout_hazard <- list(n = nrow(d), events = sum(d$event), clusters = length(unique(d$therapist)),
  log_likelihood = as.numeric(logLik(g)), estimate = as.list(coef(g)),
  se_model = as.list(sqrt(diag(vcov(g)))),
  se_uncorrected = as.list(setNames(sqrt(diag(V)), names(coef(g)))))

# The same with a random intercept of therapists, where therapists differ: each therapist's number
# among the sorted names, modulo three, moves who drops out (a planted difference, not a finding).
number <- match(d$therapist, sort(unique(d$therapist)))
d$planted <- ifelse(number %% 3 == 0, 1 * (d$event == 1 | d$session %% 7 == 0), d$event)
m <- glmer(planted ~ log_session + alliance_running_within + alliance_running_between + symptoms_c + site +
           (1 | therapist), d, binomial, nAGQ = 15,
           control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), tolPwrss = 1e-12))
g2 <- glm(planted ~ log_session + alliance_running_within + alliance_running_between + symptoms_c + site,
          binomial, d, control = glm.control(epsilon = 1e-14, maxit = 100))
out$planted_hazard <- list(sd = attr(VarCorr(m)$therapist, "stddev")[[1]], estimate = as.list(fixef(m)),
  se = as.list(sqrt(diag(as.matrix(vcov(m))))), glm = as.list(coef(g2)), events = sum(d$planted))

# Kaplan-Meier with delayed entry, log-log band: middle third of the first alliance score.
early <- panel[panel$session <= 3 & !is.na(panel$alliance), ]
first <- early[!duplicated(early$client), c("client", "alliance", "session")]
names(first) <- c("client", "score", "entry")
end <- panel[last, c("client", "session", "event")]
names(end)[2] <- "exit"
end$exit <- end$exit - is.na(end$event)  # what follows the last session has not been seen
people <- merge(first, end, by = "client")
people$event <- ifelse(is.na(people$event), 0, people$event)
people$third <- as.integer(cut(rank(people$score), quantile(rank(people$score), 0:3 / 3),
                               include.lowest = TRUE))
people <- people[people$exit > people$entry - 1, ]
km <- survfit(Surv(entry - 1, exit, event) ~ third, people, conf.type = "log-log")
s <- summary(km, times = sort(unique(people$exit[people$event == 1])), extend = TRUE)
out$kaplan_meier <- lapply(split(data.frame(time = s$time, surv = s$surv, lower = s$lower,
  upper = s$upper), s$strata), as.list)
out$kaplan_meier_n <- as.list(table(people$third))
# The one risk set: counts at each session, by Aalen and Johansen's estimator and as plain rates.
ends <- ifelse(!last, "on", ifelse(is.na(panel$event), NA, panel$end_status))
out$at_risk <- as.list(tapply(!is.na(ends), panel$session, sum))
out$dropouts <- as.list(tapply(ends == "dropout", panel$session, sum, na.rm = TRUE))
whole <- panel[last, c("session", "event", "end_status")]
whole$exit <- whole$session - is.na(whole$event)
whole$cause <- factor(ifelse(is.na(whole$event), "censored", whole$end_status),
                      c("censored", "dropout", "completed", "transferred"))
whole <- whole[whole$exit > 0, ]
aj <- survfit(Surv(exit, cause) ~ 1, whole)
out$aalen_johansen <- list(time = aj$time, dropout = aj$pstate[, 2], se = aj$std.err[, 2], n = aj$n.risk[, 1])
write(toJSON(out, digits = 15, auto_unbox = TRUE, null = "null", pretty = TRUE), "models.json")
