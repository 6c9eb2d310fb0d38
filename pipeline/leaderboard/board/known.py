"""Measures that trec_eval and ir_measures print: how they sum up topics, which end is better, what a missing topic is.

Names and aggregates are those of the tools' own code (trec_eval 8 to 10, ir_measures 0.4). Where a tool averages a 0
for a topic that a run did not answer, so does the default here, except for measures of which 0 is not the worst.
"""

import re
from dataclasses import dataclass
from functools import cache

from pipeline.leaderboard.board.aggregation import Aggregate
from pipeline.leaderboard.board.measures import MeasureName, MeasureSpec
from pipeline.leaderboard.keys import Direction

TREC_EVAL = "trec_eval"
IR_MEASURES = "ir_measures"


@dataclass(frozen=True)
class _Family:
    """Measures that differ by their name only, which the pattern tells."""

    tool: str
    pattern: str
    direction: Direction = Direction.DESC
    aggregate: Aggregate = Aggregate.MEAN
    default: float | None = 0.0
    only_in_all: bool = False
    of: MeasureName | None = None
    is_text: bool = False


_DEPTH = r"_\d+"
_SHARE = r"_\d+(\.\d+)?"
_OPTIONS = r"(_[-\d.,=]+)?"

_TREC_EVAL: tuple[_Family, ...] = (
    _Family(TREC_EVAL, "runid", Direction.NONE, Aggregate.NONE, None, only_in_all=True, is_text=True),
    _Family(TREC_EVAL, "num_q", Direction.NONE, Aggregate.NONE, None, only_in_all=True),
    _Family(TREC_EVAL, "num_ret|num_nonrel_judged_ret|num_nonjudged_ret", Direction.NONE, Aggregate.SUM),
    _Family(TREC_EVAL, "num_rel|prefs_num_prefs_poss", Direction.NONE, Aggregate.SUM, None),
    _Family(TREC_EVAL, "num_rel_ret|prefs_num_prefs_ful|prefs_num_prefs_ful_ret", aggregate=Aggregate.SUM),
    _Family(TREC_EVAL, "gm_map|gm_ap", aggregate=Aggregate.GMEAN, only_in_all=True, of="map"),
    _Family(TREC_EVAL, "gm_bpref", aggregate=Aggregate.GMEAN, only_in_all=True, of="bpref"),
    _Family(TREC_EVAL, rf"relstring({_DEPTH})?", Direction.NONE, Aggregate.NONE, None, is_text=True),
    _Family(TREC_EVAL, rf"rbp_resid|ideal_dcg|unj{_DEPTH}|prefs_avgjg_Rnonrel(_ret)?", Direction.NONE, default=None),
    _Family(TREC_EVAL, r"utility_[-\d.,]+", default=None),
    _Family(
        TREC_EVAL,
        rf"map|Rprec|R-prec|bpref|recip_rank|infAP|binG|G|ndcg{_OPTIONS}|ndcg_rel|Rndcg|dcg|yaap|rbp|utility"
        rf"|11pt_avg{_OPTIONS}|(P|recall|ndcg_cut|map_cut|relative_P|success){_DEPTH}|P\d+"
        rf"|iprec_at_recall{_SHARE}|ircl_prn\.\d\.\d+|Rprec_mult{_SHARE}"
        rf"|set_(P|recall|relative_P|map|F){_OPTIONS}|map_avgjg|P_avgjg{_DEPTH}|Rprec_mult_avgjg{_SHARE}"
        r"|prefs_(simp|pair|avgjg)(_ret|_imp)?",
    ),
)
_AT = r"(\(.+\))?(@\d+(\.\d+)?)?"
_IR_MEASURES: tuple[_Family, ...] = (
    _Family(IR_MEASURES, r"NumQ|NumRel(\(.+\))?", Direction.NONE, Aggregate.SUM, None),
    _Family(IR_MEASURES, "NumRet", Direction.NONE, Aggregate.SUM),
    _Family(IR_MEASURES, r"NumRelRet|NumRet\(.+\)", aggregate=Aggregate.SUM),
    _Family(IR_MEASURES, "Judged" + _AT, Direction.NONE, default=None),
    _Family(
        IR_MEASURES,
        "(AP|MAP|BPM|Bpref|BPref|ERR_IA|nERR_IA|alpha_DCG|α_DCG|alpha_nDCG|α_nDCG|NRBP|nNRBP|AP_IA|MAP_IA|P_IA|STREC"
        "|ERR|INST|INSQ|infAP|IPrec|nDCG|NDCG|NERR8|NERR9|NERR10|NERR11|P|Precision|R|Recall|RBP|Rprec|RPrec|RR|MRR"
        f"|SDCG|SetP|SetRelP|SetR|SetF|SetAP|Success|Accuracy|Compat){_AT}",
    ),
)


@cache
def known_measure(name: MeasureName) -> tuple[MeasureSpec, str] | None:
    """A measure that a known tool prints, and the name of the tool; None for any other.

    Examples
    --------
    >>> measure, tool = known_measure("gm_map")
    >>> measure.aggregate, measure.of, tool
    (<Aggregate.GMEAN: 'gmean'>, 'map', 'trec_eval')
    >>> known_measure("SCORE") is None
    True
    """
    for family in (*_TREC_EVAL, *_IR_MEASURES):
        if re.fullmatch(family.pattern, name, re.ASCII):
            measure = MeasureSpec(
                name,
                str if family.is_text else float,
                direction=family.direction,
                aggregate=family.aggregate,
                default=family.default,
                only_in_all=family.only_in_all,
                of=family.of,
            )
            return measure, family.tool
    return None
