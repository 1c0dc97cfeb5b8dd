# Who left, by trial and site, counted from the raw tables of public.ctn0094data by R alone.
# Run: Rscript count_dropout.R <folder of the CSV files> <output.json>. Base R and jsonlite; shares
# nothing with the project's readers. A person left who has any visit marked "left the study".
arguments <- commandArgs(TRUE); folder <- arguments[1]
everybody <- read.csv(file.path(folder, "everybody.csv"), colClasses = "character")
sites <- read.csv(file.path(folder, "site_masked.csv"), colClasses = "character")
visits <- read.csv(gzfile(file.path(folder, "visit.csv.gz")), colClasses = "character")
left <- unique(visits$who[visits$is_left_study == "1"])
people <- merge(everybody, sites, by = "who")
people$left <- people$who %in% left
counts <- aggregate(left ~ project + site_masked, people, function(x) c(length(x), sum(x)))
# sessions: visits that took place, numbered by day; the last one is where the person left
took <- visits[visits$what %in% c("visit", "final"), ]
seen <- table(took$who)
people$visits <- as.integer(seen[people$who]); people$visits[is.na(people$visits)] <- 0
with_visits <- people[people$visits > 0, ]
by_trial <- aggregate(cbind(left, visits) ~ project, with_visits, sum)
out <- list(
  by_site = data.frame(trial = counts$project, site = counts$site_masked, people = counts$left[, 1], left = counts$left[, 2]),
  by_trial = data.frame(trial = by_trial$project, left_with_visits = by_trial$left, visits = by_trial$visits))
writeLines(jsonlite::toJSON(out, auto_unbox = TRUE, digits = 15), arguments[2])
