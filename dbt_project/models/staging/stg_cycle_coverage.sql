-- Coverage of every model and cycle that it submitted to, as known now.
select competition, model_id, "cycle", category, known_at, value, numerator, denominator
from {{ source("competition", "cycle_metrics") }}
where metric = 'coverage' and not is_imputed
qualify row_number() over (partition by competition, model_id, "cycle", category order by known_at desc) = 1
