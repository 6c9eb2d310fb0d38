{{ config(meta={'dagster': {'ref': {'name': 'leaderboard_current'}}}) }}

-- Every model that has a metric on the newest board is listed on it, ranked or not. Where the newest board is still to
-- come, as after a run that was stopped, there is nothing to say yet, and other boards are not kept waiting.
select stats.competition, stats.category, stats.model_id
from {{ ref("model_stats") }} as stats
semi join {{ ref("leaderboard_current") }} as board
    on stats.competition = board.competition and stats.as_of = board.as_of
except
select competition, category, model_id
from {{ ref("leaderboard_current") }}
