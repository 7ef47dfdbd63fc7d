#!/bin/bash
# Exit with 0 if the server of this container is ready (`GET /ready`), and print its answer.
# Only built-in commands of bash: another process would cost more than the answer.
exec 3<>"/dev/tcp/127.0.0.1/${REELWRIGHT_PORT:-8080}" || exit 1
printf 'GET /ready HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
IFS= read -r -d '' -t 8 answer <&3
printf '%s\n' "${answer:0:2000}"
[[ $answer == HTTP/1.?' 200 '* ]]
