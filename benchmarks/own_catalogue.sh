#!/bin/sh
# A catalogue of any shape from its files to a score: imported, split, trained, ingested, asked by
# one of its own keys, evaluated with every strategy. Prints each command and what it says.
#
#   benchmarks/own_catalogue.sh WORK SOURCE... [options of `melon import`]
#   SPLIT="--hold-out 373 --kinds 1/0/0/0" benchmarks/own_catalogue.sh WORK SOURCE...
set -eu
work=$1
shift
melon=${MELON:-melon}

run() {
    echo "\$ melon $*"
    "$melon" "$@" 2>&1
    echo
}

run import "$@" --out "$work/files"
# shellcheck disable=SC2086 # several options
run split "$work/files" --out "$work/split" --replace ${SPLIT:-}
run train "$work/split" --out "$work/space"
run ingest "$work/space" --path "$work/store"
key=$("${PYTHON:-python3}" -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["key"])' \
    "$work/files/song_meta.json")
run query --song "$key" --limit 5 --path "$work/store"
run similar --song "$key" --to songs --limit 5 --path "$work/store"
run evaluate "$work/split/questions.json" "$work/split/answers.json" --strategy all \
    --path "$work/store"
