-- Files that arrived, and what became of their rows.
select * from {{ source("competition", "files") }}
