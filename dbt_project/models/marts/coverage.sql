select
    competition,
    category,
    "cycle",
    model_id,
    known_at,
    cast(numerator as bigint) as n_scored,
    cast(denominator as bigint) as n_outcomes,
    value as coverage
from {{ ref("stg_cycle_coverage") }}
order by competition, category, "cycle", model_id
