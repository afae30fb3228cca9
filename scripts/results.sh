# Functions that count test results in $passed and $failed. Sourced by scripts/test and scripts/test-arm64.
# shellcheck shell=bash

# count_ctest LOG: counts the test programs in the output of ctest.
count_ctest() {
  passed=$((passed + $(grep -cE 'Test +#.* Passed' "$1")))
  failed=$((failed + $(grep -cE 'Test +#.*\*\*\*' "$1")))
}

# count_pytest LOG: prints the last line of pytest's output and counts its tests. Prints the end of the output if a test
# failed. No result counts as one failure.
count_pytest() {
  local summary
  summary=$(tail -n 1 "$1")
  echo "$summary"
  grep -qE '[0-9]+ (failed|error)' <<< "$summary" && cut -c1-300 "$1" | tail -n 60
  grep -qE '[0-9]+ passed' <<< "$summary" || failed=$((failed + 1))
  passed=$((passed + $(grep -oE '[0-9]+ passed' <<< "$summary" | grep -oE '[0-9]+' || echo 0)))
  failed=$((failed + $(grep -oE '[0-9]+ (failed|error)' <<< "$summary" | grep -oE '[0-9]+' | awk '{n += $1} END {print n + 0}')))
}

# count_script LOG: counts the tests of a script whose last line is "N passed, N failed", and prints that line and those
# of failures. Another last line counts as one failure.
count_script() {
  local summary
  summary=$(tail -n 1 "$1")
  grep -E '^FAIL |\*\*\*|ERROR' "$1"
  if [[ $summary =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
    tail -n 20 "$1"
  fi
  echo "$summary"
}
