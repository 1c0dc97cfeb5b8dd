# Nested or crossed: nlme's Machines, where each of six workers works at each of three machines, with
# the interaction as a level of its own (written `Machine:Worker`, as in lme4).
source("common.R")
cases <- list()
add <- function(...) cases[[length(cases) + 1]] <<- c(...)
machines <- as.data.frame(nlme::Machines)
machines$Worker <- as.integer(as.character(machines$Worker))
machines$Machine <- as.character(machines$Machine)
machines <- write_data(machines[c("score", "Machine", "Worker")], "machines.csv")
ask <- function(case, fixed, random) {
  question(case, "machines.csv", "score", fixed, random)
}
# Workers numbered within machines, 18 of them, as if no worker had used two machines.
fit <- lmer_tight(score ~ 1 + (1 | Machine) + (1 | Machine:Worker), machines)
add(ask("machines_nested", "1", list(Machine = "1", "Machine:Worker" = "1")),
    lmer_numbers(fit, c(Machine = "Machine", "Machine:Worker" = "Machine:Worker")))
# The six workers, and each worker at each machine (Pinheiro & Bates 2000, section 1.3).
fit <- lmer_tight(score ~ Machine + (1 | Worker) + (1 | Worker:Machine), machines)
add(ask("machines_interaction", c("1", "Machine"), list(Worker = "1", "Worker:Machine" = "1")),
    lmer_numbers(fit, c(Worker = "Worker", "Worker:Machine" = "Worker:Machine")))
write_cases(cases, "crossing")
