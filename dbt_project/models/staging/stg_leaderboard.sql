-- Boards with the name of each model.
select
    board.*,
    coalesce(models.title, board.model_id) as title,
    coalesce(models.player, '') as player
from {{ source("competition", "leaderboard") }} as board
left join {{ source("competition", "models") }} as models
    on models.competition = board.competition and models.model_id = board.model_id
