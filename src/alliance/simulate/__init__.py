"""Cohorts with known truth.

The equations, for session t of client i of therapist j at site s. Greek and capital letters are
fields of `Parameters`, each with unit and source there; every score is a whole scale score as the
questionnaire gives it (WAI-SR sum 12-60, PHQ-9 sum 0-27, therapist's WAI-S sum 12-84).

Courses (residual-course form: lags act on deviations from the client's own course; Curran et al.,
2014, J Consult Clin Psychol 82:879)::

    A_it = round{ alliance_start + alliance_site_s + v^A_j + u^A_i
                  + (alliance_growth + b^A_i) log(1 + weeks_it) + w^A_it }      kept in 12..60
    S_it = round{ symptoms_start + symptoms_site_s + v^S_j + u^S_i
                  + (symptoms_growth + b^S_i) weeks_it + w^S_it }               kept in 0..27

    (v^A, v^S)_j          ~ N(0, .)   therapists' SDs, `therapist_correlation`
    (u^A, b^A, u^S, b^S)_i ~ N(0, .)   clients' SDs, `client_correlations`

Session to session, with w taken anew from the rounded score, so that the equations hold for what
is observed (rounding is one more innovation)::

    w^A_i,t+1 = alliance_carry_over w^A_it + symptoms_to_alliance w^S_it + e^A_i,t+1 + r_i,t+1
    w^S_i,t+1 = symptoms_carry_over w^S_it + alliance_to_symptoms w^A_it + e^S_i,t+1

    (e^A, e^S) ~ N(0, Q),  w_i1 ~ N(0, V) with V = F V F' + Q (stationary)

Ruptures are innovations r of the alliance: at onset a drop of `rupture_depth` within-client SDs;
one to three sessions later a push upwards where it is repaired, a further drop where it is not.
Both parts have mean zero given the past (clients without a rupture get its expected share back;
repair and further drop cancel on average), so that lags and mean course stay what they are.

Leaving: after session t, in this order, the planned end, the end of data, transfer and agreed
completion (logit-linear in t from `completion_from`, whatever the alliance); then, of those who
stay, dropout::

    logit h_it = logit(dropout_base) + dropout_alliance (A_it - 45) + dropout_symptoms (S_it - 13)

A_it is the mean so far plus the deviation from it; with one coefficient for both only A_it counts.

Therapist's rating after every third session: the client's mean course, lower by
`therapist_rating_lower` SDs, with deviations that correlate with the client's at
`therapist_agreement` between and within clients; one WAI-SR point is 1.5 WAI-S points.

Items are drawn so that they add up to the score (`items.share_out`). Forms and items go missing at
random. The clients' calendar has gaps of one to three weeks.

Bounds: with these parameters about 1.6 % of alliance scores are at the ceiling and 0.5 % of symptom
scores at the floor. What that does to each estimate was measured on 200 cohorts simulated with and
without bounds from the same seeds: `effect_of_bounds` in `expected.json` and truth.json.
"""

from alliance.simulate.cohort import Cohort, simulate_courses
from alliance.simulate.parameters import Parameters
from alliance.simulate.write import write_cohort, write_demo

__all__ = ["Cohort", "Parameters", "simulate_courses", "write_cohort", "write_demo"]
