"""The pages: the same queries as the API, as HTML that works without JavaScript except for charts.

A page is a module with a router and a template of the same name. What its address says is all its state: nothing is
kept for a reader. Numbers become text in :mod:`figures`, shapes in :mod:`drawings`; styles and scripts are in
``static``.
"""
