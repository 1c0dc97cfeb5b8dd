# Edges: profile intervals of a model with an intercept only, and CR2 of a least-squares regression
# with few clusters (clubSandwich). Writes edges.json.
source("common.R")
suppressPackageStartupMessages(library(clubSandwich))
sleep <- read.csv("sleepstudy.csv")
fit <- lmer(Reaction ~ 1 + (1 | Subject), sleep, REML = FALSE)
ends <- confint(fit, method = "profile", oldNames = FALSE, quiet = TRUE, devtol = 1e-10)
rats <- read.csv("bodyweight.csv")
rats$late <- as.numeric(rats$Time > 30)
regression <- function(formula, data, cluster) {
  test <- coef_test(lm(formula, data), vcov = "CR2", cluster = cluster, test = "Satterthwaite")
  list(estimates = I(test$beta), standard_errors = I(test$SE), df = I(test$df_Satt), p = I(test$p_Satt))
}
write_cases(list(
  list(case = "intercept_only", rows = I(rownames(ends)), low = I(unname(ends[, 1])),
       high = I(unname(ends[, 2]))),
  c(list(case = "least_squares_cr2"),
    regression(weight ~ Time + Diet + late, rats, rats$Rat)),
  c(list(case = "least_squares_cr2_three_clusters"),
    regression(weight ~ Time, subset(rats, Rat %in% c(1, 5, 12)), subset(rats, Rat %in% c(1, 5, 12))$Rat))
), "edges")
