select
    competition, category, as_of, position, rank, rank_with_ensembles, rank_change, rank_lo, rank_hi, tie_group,
    n_cycles, n_effective, rank_method, model_id, title, player, rank_key, coverage, n, is_ensemble, status
from {{ ref("stg_leaderboard") }}
qualify as_of = max(as_of) over (partition by competition, category)
order by competition, category, position
