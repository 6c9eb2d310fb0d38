select competition, category, as_of, model_id, title, rank, rank_change
from {{ ref("stg_leaderboard") }}
where rank_change <> 0
order by competition, category, as_of, rank
