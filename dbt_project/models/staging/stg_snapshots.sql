-- Metrics over windows with the name of each model and which way each metric is better.
select
    snapshots.*,
    coalesce(models.title, snapshots.model_id) as title,
    metrics.direction,
    metrics.unit
from {{ source("competition", "snapshots") }} as snapshots
left join {{ source("competition", "models") }} as models
    on models.competition = snapshots.competition and models.model_id = snapshots.model_id
left join {{ source("catalog", "metrics") }} as metrics
    on metrics.board = snapshots.competition and metrics.metric = snapshots.metric
