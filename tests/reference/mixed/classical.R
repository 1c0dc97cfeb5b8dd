# The data sets of Pinheiro & Bates (2000) in nlme, Pastes of lme4 and BtheB of HSAUR3.
source("common.R")
suppressPackageStartupMessages({
  library(lmerTest)
  library(pbkrtest)
})
lmer <- lme4::lmer
cases <- list()
add <- function(...) cases[[length(cases) + 1]] <<- c(...)

inference <- function(fit) {
  adjusted <- vcovAdj(fit)
  p <- length(fixef(fit))
  list(
    satterthwaite_df =
      I(unname(coef(summary(as_lmerModLmerTest(fit), ddf = "Satterthwaite"))[, "df"])),
    kenward_roger = list(
      df = I(sapply(seq_len(p), function(k) {
        contrast <- rep(0, p)
        contrast[k] <- 1
        Lb_ddf(contrast, vcov(fit), adjusted)
      })),
      standard_errors = I(unname(sqrt(diag(as.matrix(adjusted)))))
    )
  )
}
joint_f <- function(fit, contrast) {
  test <- KRmodcomp(fit, contrast)$stats
  satterthwaite <- contestMD(as_lmerModLmerTest(fit), contrast)
  list(f_test = list(
    contrast = lapply(seq_len(nrow(contrast)), function(k) I(contrast[k, ])),
    f = test$Fstat, ndf = test$ndf, ddf = test$ddf, scaling = test$F.scaling, p = test$p.value,
    satterthwaite_f = satterthwaite[["F value"]], satterthwaite_ddf = satterthwaite[["DenDF"]]
  ))
}
plain <- function(frame) {
  frame <- as.data.frame(frame)
  for (name in names(frame)) {
    if (is.factor(frame[[name]])) frame[[name]] <- as.character(frame[[name]])
  }
  frame
}

# ---- Orthodont: growth by sex; heterogeneous residual (varIdent by sex, P&B chapter 5)
orthodont <- plain(nlme::Orthodont)
orthodont$agec <- orthodont$age - 11
# Male is the reference of the published coefficients; a sorted contrast would take Female.
orthodont$female <- as.numeric(orthodont$Sex == "Female")
orthodont <- write_data(orthodont[c("distance", "age", "agec", "Subject", "Sex", "female")],
                        "orthodont.csv")
growth <- c("1", "agec", "female", "agec:female")
ask <- function(case, fixed, terms, ...) {
  question(case, "orthodont.csv", "distance", fixed, list(Subject = terms), ...)
}
for (method in c("REML", "ML")) {
  fit <- lmer_tight(distance ~ agec + female + agec:female + (agec | Subject), orthodont,
                    method == "REML")
  add(ask(paste0("orthodont_", tolower(method)), growth, c("1", "agec"), method = method),
      lmer_numbers(fit, c(Subject = "Subject")),
      if (method == "REML") c(inference(fit), joint_f(fit, rbind(c(0, 0, 1, 0), c(0, 0, 0, 1)))))
}
# R2 of Rights & Sterba (2019), equations for a model whose within predictors are centred within
# clusters, which agec is (every child is seen at 8, 10, 12 and 14): f1 and f2 = fixed effects
# within and between, v = random slopes, m = random intercepts. Covariances with n - 1, as in the
# authors' own R functions.
fit <- lmer_tight(distance ~ agec + female + agec:female + (agec | Subject), orthodont)
b <- unname(fixef(fit))
sigma <- as.matrix(VarCorr(fit)$Subject)
parts <- with(orthodont, c(
  f1 = var(b[2] * agec + b[4] * agec * female), f2 = var(b[3] * female),
  v = sigma[2, 2] * var(agec), m = sigma[1, 1], residual = sigma(fit)^2
))
cases[[1]]$r2_parts <- as.list(parts)
cases[[1]]$r2_shares <- as.list(parts / sum(parts))
# Treatment contrasts in sorted order (Female is the reference), the categorical column itself.
sorted <- lmer_tight(distance ~ agec + Sex + agec:Sex + (1 | Subject), orthodont)
add(ask("orthodont_reml_categorical", c("1", "agec", "Sex", "agec:Sex"), "1"),
    lmer_numbers(sorted, c(Subject = "Subject")), inference(sorted))
for (method in c("REML", "ML")) {
  fit <- lme_tight(distance ~ agec * female, list(Subject = ~ agec), orthodont, method,
                   weights = varIdent(form = ~ 1 | Sex))
  add(ask(paste0("orthodont_", tolower(method), "_by_sex"), growth, c("1", "agec"),
          residual_by = "Sex", method = method),
      lme_numbers(fit, "Subject"))
}

# ---- Ovary: follicles over the cycle, serially correlated (P&B section 5.3)
ovary <- plain(nlme::Ovary)
ovary$sine <- sin(2 * pi * ovary$Time)
ovary$cosine <- cos(2 * pi * ovary$Time)
ovary$occasion <- ave(ovary$Time, ovary$Mare, FUN = seq_along)
ovary$Mare2 <- ovary$Mare
ovary <- write_data(ovary, "ovary.csv")
wave <- c("1", "sine", "cosine")
# Independent intercept and sine effects = two levels with the same ids, one term each.
apart <- list(Mare = "1", Mare2 = "sine")
together <- list(Mare = c("1", "sine"))
split_numbers <- function(fit) {
  numbers <- lme_numbers(fit, "Mare")
  numbers$covariances <- list(
    list(level = "Mare", row = 1, column = 1, value = numbers$covariances[[1]]$value),
    list(level = "Mare2", row = 1, column = 1, value = numbers$covariances[[3]]$value)
  )
  numbers
}
waves <- function(random, method, correlation = NULL) {
  lme_tight(follicles ~ sine + cosine, list(Mare = random), ovary, method, correlation)
}
by_occasion <- corAR1(form = ~ occasion | Mare)
iid <- waves(pdDiag(~ sine), "REML")
add(question("ovary_reml_uncorrelated", "ovary.csv", "follicles", wave, apart), split_numbers(iid))
ar1 <- waves(pdDiag(~ sine), "REML", by_occasion)
add(question("ovary_reml_uncorrelated_ar1", "ovary.csv", "follicles", wave, apart,
             residual = "ar1", residual_time = "occasion"), split_numbers(ar1))
for (method in c("REML", "ML")) {
  fit <- waves(~ sine, method, by_occasion)
  add(question(paste0("ovary_", tolower(method), "_ar1"), "ovary.csv", "follicles", wave,
               together, residual = "ar1", residual_time = "occasion", method = method),
      lme_numbers(fit, "Mare"))
}
fit <- waves(~ 1, "REML", corCAR1(form = ~ Time | Mare))
add(question("ovary_reml_car1", "ovary.csv", "follicles", wave, list(Mare = "1"),
             residual = "car1", residual_time = "Time"), lme_numbers(fit, "Mare"))

# ---- Pixel: day slope by dog, intercept by side in dog (P&B section 1.5)
pixel <- plain(nlme::Pixel)
pixel$day2 <- pixel$day^2
pixel <- write_data(pixel, "pixel.csv")
for (method in c("REML", "ML")) {
  fit <- lmer_tight(pixel ~ day + day2 + (day | Dog) + (1 | Dog:Side), pixel, method == "REML")
  add(question(paste0("pixel_", tolower(method)), "pixel.csv", "pixel", c("1", "day", "day2"),
               list(Dog = c("1", "day"), "Dog:Side" = "1"), method = method),
      lmer_numbers(fit, c(Dog = "Dog", "Dog:Side" = "Dog:Side")),
      if (method == "REML") c(inference(fit), joint_f(fit, rbind(c(0, 1, 0), c(0, 0, 1))), list(
        modes = lmer_modes(fit, c(Dog = "Dog", "Dog:Side" = "Dog:Side")))))
}

# ---- Oxide: wafers in lots; ids of wafers repeat across lots
oxide <- plain(nlme::Oxide)
oxide <- write_data(oxide, "oxide.csv")
for (method in c("REML", "ML")) {
  fit <- lmer_tight(Thickness ~ 1 + (1 | Lot) + (1 | Lot:Wafer), oxide, method == "REML")
  add(question(paste0("oxide_", tolower(method)), "oxide.csv", "Thickness", "1",
               list(Lot = "1", "Lot:Wafer" = "1"), method = method),
      lmer_numbers(fit, c(Lot = "Lot", "Lot:Wafer" = "Lot:Wafer")),
      if (method == "REML") inference(fit))
}

# ---- BodyWeight: diets, slopes by rat, real time
body_weight <- plain(nlme::BodyWeight)
body_weight$Diet <- paste0("diet", body_weight$Diet)
body_weight <- write_data(body_weight, "bodyweight.csv")
diet <- c("1", "Time", "Diet", "Time:Diet")
for (method in c("REML", "ML")) {
  fit <- lmer_tight(weight ~ Time + Diet + Time:Diet + (Time | Rat), body_weight, method == "REML")
  contrast <- rbind(c(0, 0, 0, 0, 1, 0), c(0, 0, 0, 0, 0, 1))
  add(question(paste0("bodyweight_", tolower(method)), "bodyweight.csv", "weight", diet,
               list(Rat = c("1", "Time")), method = method),
      lmer_numbers(fit, c(Rat = "Rat")),
      if (method == "REML") c(inference(fit), joint_f(fit, contrast)))
}
for (method in c("REML", "ML")) {
  fit <- lme_tight(weight ~ Time + Diet + Time:Diet, list(Rat = ~ Time), body_weight, method,
                   corCAR1(form = ~ Time | Rat))
  add(question(paste0("bodyweight_", tolower(method), "_car1"), "bodyweight.csv", "weight", diet,
               list(Rat = c("1", "Time")), residual = "car1", residual_time = "Time",
               method = method),
      lme_numbers(fit, "Rat"))
}
fit <- lme_tight(weight ~ Time + Diet + Time:Diet, list(Rat = ~ Time), body_weight, "REML",
                 corCAR1(form = ~ Time | Rat), varIdent(form = ~ 1 | Diet))
add(question("bodyweight_reml_car1_by_diet", "bodyweight.csv", "weight", diet,
             list(Rat = c("1", "Time")), residual = "car1", residual_time = "Time",
             residual_by = "Diet"),
    lme_numbers(fit, "Rat"))

# ---- Pastes: casks in batches
pastes <- plain(lme4::Pastes)[c("strength", "batch", "cask")]
pastes <- write_data(pastes, "pastes.csv")
for (method in c("REML", "ML")) {
  fit <- lmer_tight(strength ~ 1 + (1 | batch) + (1 | batch:cask), pastes, method == "REML")
  add(question(paste0("pastes_", tolower(method)), "pastes.csv", "strength", "1",
               list(batch = "1", "batch:cask" = "1"), method = method),
      lmer_numbers(fit, c(batch = "batch", "batch:cask" = "batch:cask")),
      if (method == "REML") inference(fit))
}

# ---- BtheB: Beat the Blues trial in long format, ML (Everitt & Hothorn)
data("BtheB", package = "HSAUR3")
wide <- BtheB
wide$subject <- seq_len(nrow(wide))
long <- do.call(rbind, lapply(c(2, 3, 5, 8), function(month) {
  data.frame(subject = wide$subject, bdi = wide[[paste0("bdi.", month, "m")]], month = month,
             bdi_pre = wide$bdi.pre, treatment = as.character(wide$treatment),
             drug = as.character(wide$drug), length = as.character(wide$length))
}))
long$drug <- ifelse(long$drug == "Yes", "yes", "no")
long$treatment <- ifelse(long$treatment == "TAU", "1_usual", "2_btheb")
long$length <- ifelse(long$length == "<6m", "1_under_6m", "2_over_6m")
long <- write_data(long[order(long$subject, long$month), ], "btheb.csv")
predictors <- c("1", "bdi_pre", "month", "treatment", "drug", "length")
both <- list(
  btheb_ml = bdi ~ bdi_pre + month + treatment + drug + length + (1 | subject),
  btheb_ml_slope = bdi ~ bdi_pre + month + treatment + drug + length + (month | subject)
)
for (case in names(both)) {
  fit <- lmer_tight(both[[case]], long, FALSE)
  add(question(case, "btheb.csv", "bdi", predictors,
               list(subject = if (case == "btheb_ml") "1" else c("1", "month")), method = "ML"),
      lmer_numbers(fit, c(subject = "subject")),
      list(n_rows = nobs(fit), n_clients = unname(getME(fit, "l_i"))))
}

write_cases(cases, "classical")
