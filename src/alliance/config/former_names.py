"""Names that a config may still hold from earlier versions, and what they are called now."""

FAMILIES = {
    "arms": "specifications",
    "dropout": "hazard",
    "ladder": "growth_shape",
    "panel": "panel_estimators",
    "parallel": "parallel_growth",
    "survival": "continuous_time",
}
