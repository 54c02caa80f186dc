"""Which names may be shown: those that are made of common words, so that they can hold nothing else."""

from __future__ import annotations

import re
import unicodedata

_LIST = """
a about account accounts action active activity actual added address adjacent adjusted after age agent aliased all
almost alt amount amounts an analysis and apart api app area arrival article as assembly asset assigned associated
association at attribute author available average away bad balance band bank base basic basket batch battery begin
benford between bike bill billing bin binned birth block blocks board body bonus book booking bottleneck bottlenecks
branch brand bucket budget build builder building bundle bursts business by calendar call campaign cancel cancelled
candidate capacity capital car card cardinality carrier case cases categorical categories category cause cell center
certain change changed changepoint changepoints changes channel charge check children city class client clients close
closed cluster cm code codes collinear colour column columns combinations comment comments company compare complete
component concentration condition confidence constant consumption contact content contract control copy correlated
correlation correlations cost costs count country county coupon cpu created credit currency current curve customer
customers cycle daily damage data date dates datetime day days de deadline decimal default degree delay deleted
delivered delivery density dep depart department departs departure dependencies dependency depends depth description
destination detail details device diagnosis difference differences different digit digits discord discords discount
distance distinct distribution district division dob dock document domain done door dose double drift driver drivers
drop due duplicate duplicates duration early education email employee empty end ended ends energy engine entity entry
equal error errors es eta eur event eventlog events excess expected expenses external factor failed failure false
family far fare fee field file finish finished first fixed flag flags flight floor flow fold follow for foreign form
format formats fr freight frequency frequent from fuel full functional gain gap gaps gbp gender go gone gpu grade
gross group groups growth has heap heaped heat height hidden high hold holiday home hour hourly hours house household
iban id identical identifier ids in inclusion income index infinite influential initial input inside install instance
insurance interval inventory invoice invoices ip is issue item items job kaplan key keys kg kind km kw kwh lab label
labels lag language large last lat latency latitude lb lda lead leading left length letter level levels lift likely
limit line lines link list load loan local location log login lon long longest longitude loss lot low machine mail
main maintenance make management manager map margin marital mark market marks married mass master material matrix max
maximum mean measure measures median medium meier member memory message messages meter method metric mid min minimum
minute minutes missing missingness misspelled misspelt mixed mm mobile mode model module money month monthly more most
mostly motifs ms much name names nan national native near nearly net new next night no node normal normalize not note
notes null number numbers object occupation of off offer office old on only open operation operator option or order
ordered orders origin other outage outcome outlier outliers output outside over overlap own owner package page paid
pair pairs parent part partner parts passenger passengers passport patient pattern patterns pay payment payments per
percent performance period person personal phone picked pickup pii place plan planned planner plant platform point
points policy position possible post postal power predictor prefixspan pressure previous price prices primary priority
process product production products profession profile profit program progress project promised promotion prompt
property provider province purchase quality quantity quarter queue race rain ram rank ranks rare rate rated rates
ratio reading reason rebate receipt received record records redundant ref reference refund region regression rejected
relation relationship relative released reliability reloaded rental repair repeat repeated repeats reply report
request required reserved resource response rest result results return returned returns revenue reverses review rework
rider robust role room route row rows rule rules run runs sale sales same sample satisfaction schedule scheduled
school score season seasonal seasonality second seconds section sector segment seller sender sensor sentinel sequence
sequential serial series service session settlement severity sex share shift ship shipped shipping shop short sick
side sigma signal site size skipped sku slow small sold sort source speed spend spread ssn staff stage standard start
started state station status step steps stock stop stopped storage store stratum street strong subject sum summary
supplier support surge survival survived swap system table tag tail target task tax team technician temperature
template templates tenure term terms territory test text that the then things ticket tickets tier time times timestamp
tip title to together token toll topic topics total traffic train transaction transactions transfer transport
treatment trend trip truck true turn turnover type uk under unit units unlikely up update updated upper url us usage
usd use used user users utc uuid valid value values vanished variance variant variants vat vehicle vendor version view
visit visits volume vote vs wage wait waiting warehouse warranty waste watch water way weather website week weekday
weekend weekly weeks weight where which whole wide width wind window with within without work workclass worker worth x
y year yearly years yes yield z zero zip zone
"""
_WORDS = frozenset(_LIST.split())

_SPLIT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[ _./:-]+")
_SECRET = re.compile(r"@|\d{3}|[A-Za-z0-9+/]{25}")
LONGEST = 64
_MOST_DIGITS = 2


def is_known(name: str) -> bool:
    """Whether a name is made of common words and at most two digits, and so tells nothing about anybody.

    Examples
    --------
    >>> is_known("customer_id"), is_known("ArrDelay"), is_known("jane.canary@example.org"), is_known("weight_kg2")
    (True, False, False, True)
    """
    if len(name) > LONGEST or not name.isascii():
        return False
    digits = sum(char.isdigit() for char in name)
    words = [word for part in _SPLIT.split(name) if (word := part.strip("0123456789").lower())]
    return digits <= _MOST_DIGITS and bool(words) and all(word in _WORDS for word in words)


def is_harmless(name: str) -> bool:
    r"""Whether a name looks like one: no address, no long number, no key, no control or invisible character.

    Examples
    --------
    >>> is_harmless("ArrDelay"), is_harmless("a@b.org"), is_harmless("4111 1111 1111"), is_harmless("a\nb")
    (True, False, False, False)
    """
    plain = all(unicodedata.category(char)[0] in "LNPSZ" and char not in "\u2028\u2029" for char in name)
    return 0 < len(name) <= LONGEST and plain and not _SECRET.search(name)
