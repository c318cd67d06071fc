#!/bin/sh
# Runs two commands at the same time, on two cores. Fails if one of them does.
sh -c "$1" & first=$!
sh -c "$2"; second=$?
wait "$first" && exit "$second"
