select
    changes.board,
    changes.table_name,
    bool_or(boards.frozen) as frozen,
    max(changes."cycle") as newest_cycle,
    max(changes.known_from) as newest_known,
    max(changes.seq) as seq,
    max(changes.changed_at) as changed_at
from {{ ref("stg_changes") }} as changes
left join {{ ref("stg_boards") }} as boards on boards.board = changes.board
where changes.board <> 'marts'
group by changes.board, changes.table_name
order by changes.board, changes.table_name
