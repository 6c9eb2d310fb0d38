select
    board,
    table_name,
    max("cycle") as newest_cycle,
    max(known_from) as newest_known,
    max(seq) as seq,
    max(changed_at) as changed_at
from {{ ref("stg_changes") }}
where board <> 'marts'
group by all
order by board, table_name
