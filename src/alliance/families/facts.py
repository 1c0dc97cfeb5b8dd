"""Facts of a fit: codes that programs ask, each with a text that people read.

A later stage may ask for the code and print the text; it never reads the text. Rewording a text
therefore changes that text and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Assumption(StrEnum):
    """What a model takes for granted."""

    LINEAR_COURSE = "linear_course"
    NORMAL_EFFECTS = "normal_effects"
    MISSING_AT_RANDOM = "missing_at_random"
    LEVEL_IS_CLIENT_MEAN = "level_is_client_mean"
    REACHES_NEXT_SESSION = "reaches_next_session"
    ONE_DEPARTURE = "one_departure"
    STEP_CHOSEN_BY_RULE = "step_chosen_by_rule"
    CLIENT_CONSTANTS = "client_constants"
    SHORT_COURSE_BIAS = "short_course_bias"
    STANDARD_ERRORS_KNOWN = "standard_errors_known"
    NORMAL_SITES = "normal_sites"
    NON_INFORMATIVE_CENSORING = "non_informative_censoring"
    HAZARD_SHAPE = "hazard_shape"
    NO_LOOK_AHEAD = "no_look_ahead"
    PREDICTORS_AT_FIRST_SCORE = "predictors_at_first_score"
    PROPORTIONAL_HAZARDS = "proportional_hazards"
    THERAPISTS_DIFFER_RANDOMLY = "therapists_differ_randomly"
    COMMON_SCALE = "common_scale"
    CLIENT_IS_REFERENCE = "client_is_reference"
    QUADRATIC_SURFACE = "quadratic_surface"
    NEXT_JOINT_RATING = "next_joint_rating"
    NO_THERAPIST_LEVEL = "no_therapist_level"
    FEW_CLUSTERS_BY_CR2 = "few_clusters_by_cr2"
    STATIONARY_DEVIATIONS = "stationary_deviations"
    FORMS_AT_ONE_TIME = "forms_at_one_time"
    FORMS_IN_ORDER = "forms_in_order"
    SHARED_EFFECTS = "shared_effects"
    OTHER_ENDS_AT_RANDOM = "other_ends_at_random"
    MEAN_AFTER_LEAVING = "mean_after_leaving"
    PATTERNS_GO_ON = "patterns_go_on"
    LEAVING_BY_LAST_SCORE = "leaving_by_last_score"
    SIGN_OF_LEAVING = "sign_of_leaving"
    # what one panel estimator takes for granted
    STRICT_EXOGENEITY = "strict_exogeneity"
    SAME_DYNAMICS_IN_BOTH_HALVES = "same_dynamics_in_both_halves"
    SHOCKS_NOT_CORRELATED = "shocks_not_correlated"
    CHANGES_UNRELATED_TO_CONSTANT = "changes_unrelated_to_constant"
    EFFECTS_SAME_AT_EVERY_SESSION = "effects_same_at_every_session"
    STABLE_LEVELS = "stable_levels"
    LEVELS_COMPARED = "levels_compared"
    CONSTANT_UNRELATED = "constant_unrelated"
    CASE_MIX_MEASURED = "case_mix_measured"


class Estimator(StrEnum):
    """How an estimate was computed."""

    REML = "reml"
    ML = "ml"
    MIXED = "mixed"
    MIXED_ML = "mixed_ml"
    MIXED_MEAN_OF_SITES = "mixed_mean_of_sites"
    MIXED_CONTRAST = "mixed_contrast"
    MIXED_OF_DIFFERENCE = "mixed_of_difference"
    MIXED_SESSIONS_SHUFFLED = "mixed_sessions_shuffled"
    MIXED_LAG_NOT_CENTRED = "mixed_lag_not_centred"
    CORRELATION_DELTA = "correlation_delta"
    CORRELATION_PROFILE = "correlation_profile"
    CORRELATION_BOOTSTRAP = "correlation_bootstrap"
    CORRELATION_OF_DEVIATIONS = "correlation_of_deviations"
    JOINT_COURSES = "joint_courses"
    JOINT_COURSES_BY_GROUP = "joint_courses_by_group"
    LEAST_SQUARES = "least_squares"
    FIXED_EFFECTS = "fixed_effects"
    ANDERSON_HSIAO = "anderson_hsiao"
    HALF_PANEL_JACKKNIFE = "half_panel_jackknife"
    DIFFERENCE_GMM = "difference_gmm"
    SYSTEM_GMM = "system_gmm"
    DYNAMIC_PANEL_MODEL = "dynamic_panel_model"
    RANDOM_INTERCEPTS_MODEL = "random_intercepts_model"
    BETWEEN = "between"
    RANDOM_EFFECTS = "random_effects"
    THERAPIST_SHARE = "therapist_share"
    THERAPIST_SHARE_ADJUSTED = "therapist_share_adjusted"
    THERAPIST_SHARE_ENOUGH_CLIENTS = "therapist_share_enough_clients"
    LATENT_THERAPIST_MEANS = "latent_therapist_means"
    SYNTHESIS = "synthesis"
    SITE_ALONE = "site_alone"
    FURTHER_SITE = "further_site"
    SYNTHESIS_WITH_FLOOR = "synthesis_with_floor"
    ALL_SITES_AT_ONCE = "all_sites_at_once"
    HAZARD = "hazard"
    MARGINAL_EFFECT = "marginal_effect"
    AVERAGED_OVER_THERAPISTS = "averaged_over_therapists"
    WITHOUT_RANDOM_EFFECTS = "without_random_effects"
    MULTINOMIAL_LOGIT = "multinomial_logit"
    COX = "cox"
    GAMMA_FRAILTY = "gamma_frailty"
    GAUSSIAN_FRAILTY = "gaussian_frailty"
    FINE_GRAY = "fine_gray"
    COURSE_AND_LEAVING = "course_and_leaving"
    PLAIN_HAZARD = "plain_hazard"
    TWO_STAGE = "two_stage"
    LAST_SCORE = "last_score"
    COURSE_ALONE = "course_alone"
    # a growth model under other assumptions about scores after leaving
    MULTIPLE_IMPUTATION = "multiple_imputation"
    DELTA_ADJUSTED = "delta_adjusted"
    JUMP_TO_REFERENCE = "jump_to_reference"
    COPY_INCREMENTS = "copy_increments"
    LAST_MEAN = "last_mean"
    BASELINE_MEAN = "baseline_mean"
    PATTERN_MIXTURE = "pattern_mixture"
    WEIGHTED_FOR_STAYING = "weighted_for_staying"
    # alternative specifications of a coupling model
    REPORTED = "reported"
    NO_DETRENDING = "no_detrending"
    OWN_LINE = "own_line"
    RUNNING_MEAN = "running_mean"
    RUNNING_MEAN_NO_DETRENDING = "running_mean_no_detrending"
    LATENT_MEAN = "latent_mean"
    SAME_SESSION = "same_session"
    TWO_SESSIONS_LATER = "two_sessions_later"
    NEXT_SESSION = "next_session"
    LAG_NOT_CENTRED = "lag_not_centred"
    DIFFERS_BETWEEN_CLIENTS = "differs_between_clients"
    THERAPISTS_APART = "therapists_apart"
    CHANGES_OVER_TREATMENT = "changes_over_treatment"


CORRELATIONS = (
    Estimator.CORRELATION_DELTA,
    Estimator.CORRELATION_PROFILE,
    Estimator.CORRELATION_BOOTSTRAP,
)


# How the p of a likelihood ratio was read: from chi-squared, from the mixture that holds where a
# variance is zero, or from a chi-squared that is too large since several variances may be.
CHI_SQUARED, MIXTURE, CHI_SQUARED_TOO_LARGE = "chi2", "mixture", "chi2_too_large"


class DfMethod(StrEnum):
    """Degrees of freedom, or kind of standard error."""

    SATTERTHWAITE = "satterthwaite"
    KENWARD_ROGER = "kenward_roger"
    NORMAL = "normal"
    CLUSTERS = "clusters"
    CLUSTERS_SATTERTHWAITE = "clusters_satterthwaite"
    CLUSTER_ROBUST = "cluster_robust"
    HARTUNG_KNAPP = "hartung_knapp"
    NONE = "none"


class Warned(StrEnum):
    """What a reader must know before using a number."""

    SINGULAR = "singular"
    OTHER_DF = "other_df"
    NO_SECOND_ENGINE = "no_second_engine"
    ENGINES_DIFFER = "engines_differ"
    LEVEL_LEFT_OUT = "level_left_out"
    LINES_LEFT_OUT = "lines_left_out"
    THERAPIST_NOT_KNOWN = "therapist_not_known"
    CHECK_NOT_COMPUTED = "check_not_computed"
    STEP_NOT_FITTED = "step_not_fitted"
    INFLUENCE_NOT_MADE = "influence_not_made"
    CORRELATION_AT_BOUNDARY = "correlation_at_boundary"
    SPECIFICATION_NOT_COMPUTED = "specification_not_computed"
    ESTIMATOR_NOT_COMPUTED = "estimator_not_computed"
    IMPROPER_SOLUTION = "improper_solution"
    FEW_CLIENTS_PER_THERAPIST = "few_clients_per_therapist"
    TEST_NOT_DEFINED = "test_not_defined"
    FEW_CLUSTERS = "few_clusters"
    FEW_SITES = "few_sites"
    SITE_LEFT_OUT = "site_left_out"
    SITES_NOT_ADJUSTED_FOR = "sites_not_adjusted_for"
    EVENTS_WITHOUT_A_SCORE = "events_without_a_score"
    EVERY_CLIENT_LEFT = "every_client_left"
    NOT_CROSS_VALIDATED = "not_cross_validated"
    NO_SECOND_ESTIMATE = "no_second_estimate"
    NO_COMPETING_END = "no_competing_end"
    HAZARDS_NOT_PROPORTIONAL = "hazards_not_proportional"


class Reason(StrEnum):
    """Why rows of the panel were left out."""

    NO_SCORE = "no_score"
    NO_NEXT_SCORE = "no_next_score"
    TIME_NOT_KNOWN = "time_not_known"
    COLUMN_NOT_KNOWN = "column_not_known"
    THERAPIST_NOT_KNOWN = "therapist_not_known"
    NOT_RATED_BY_BOTH = "not_rated_by_both"
    NO_LATER_JOINT_RATING = "no_later_joint_rating"
    STILL_IN_TREATMENT = "still_in_treatment"
    END_NOT_KNOWN = "end_not_known"
    NOT_THE_FIRST_SCORE = "not_the_first_score"
    SITE_NOT_FITTED = "site_not_fitted"
    MODEL_NOT_FITTED = "model_not_fitted"


class Tested(StrEnum):
    """What a test beside the estimates asks."""

    ONE_EFFECT_AT_ALL_SITES = "one_effect_at_all_sites"
    ONE_DYNAMICS_FOR_ALL_GROUPS = "one_dynamics_for_all_groups"
    PROPORTIONAL_HAZARDS = "proportional_hazards"
    HAUSMAN = "hausman"
    MUNDLAK = "mundlak"
    HANSEN = "hansen"
    SECOND_ORDER_AUTOCORRELATION = "second_order_autocorrelation"
    SAME_EFFECTS_THROUGHOUT = "same_effects_throughout"
    SHARE_OF_THERAPISTS = "share_of_therapists"
    SKIPPED_FORMS = "skipped_forms"


@dataclass(frozen=True, slots=True)
class Fact:
    """A code, and how it is said of this model.

    Attributes
    ----------
    code
        What programs ask for.
    text
        What people read.
    """

    code: StrEnum
    text: str


ALL_SITES = "all sites"  # the line of a figure that averages over sites


def has(facts: Any, code: StrEnum) -> bool:
    """Say whether one of the facts, as plain values of a fit's file, has this code."""
    return any(fact["code"] == code for fact in facts)
