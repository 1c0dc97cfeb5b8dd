# What every R peer shares: data, clock, memory, and the JSON it leaves behind.
suppressPackageStartupMessages(library(jsonlite))
arguments <- commandArgs(trailingOnly = TRUE)
task <- arguments[[2]]
data <- as.data.frame(data.table::fread(arguments[[1]], nThread = 1))
data$therapist <- factor(data$therapist)
data$client <- factor(data$client)

stacked <- function() {
  # Two outcomes below each other, an indicator column for each (task "several").
  long <- do.call(rbind, lapply(1:2, function(k) {
    data.frame(client = data$client, row = seq_len(nrow(data)), t = data$t, which = k,
               a = as.numeric(k == 1), s = as.numeric(k == 2),
               value = data[[c("alliance", "symptoms")[k]]])
  }))
  long <- long[!is.na(long$value), ]
  long[order(long$row, long$which), ]
}

status_mb <- function(key) {
  line <- grep(paste0("^", key), readLines("/proc/self/status"), value = TRUE)
  as.numeric(strsplit(trimws(sub("[^:]*:", "", line)), " ")[[1]][1]) / 1024
}

timed <- function(fit) {
  # Short fits are repeated within 10 s, at most five times, and the fastest one counts
  # (the first is repeated in any case if it took less than 30 s).
  seconds <- c()
  processor <- c()
  before <- status_mb("VmRSS")
  try(writeLines("5", "/proc/self/clear_refs"), silent = TRUE)
  while (length(seconds) < 5 &&
         (length(seconds) == 0 || (sum(seconds) < 30 && sum(seconds[-1]) < 10))) {
    result <- NULL
    gc(FALSE)
    start <- proc.time()
    result <- fit()
    used <- proc.time() - start
    seconds <- c(seconds, used[["elapsed"]])
    processor <- c(processor, used[["user.self"]] + used[["sys.self"]])
  }
  list(result = result, numbers = list(
    seconds = min(seconds), processor_seconds = min(processor), first_seconds = seconds[1], runs = length(seconds),
    data_mb = before, peak_mb = status_mb("VmHWM")
  ))
}

report <- function(numbers, ...) {
  writeLines(toJSON(c(numbers, list(...)), digits = NA, auto_unbox = TRUE, null = "null",
                    na = "null"), arguments[[3]])
}
