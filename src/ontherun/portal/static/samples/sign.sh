#!/bin/sh
# Sign an iLink 3 login: sh sign.sh KEYFILE REQUEST_TIMESTAMP UUID SESSION FIRM [the five values of Establish]
#
# KEYFILE is a downloaded key file in JSON. Four values sign a Negotiate; nine sign an Establish: TradingSystemName,
# TradingSystemVersion, TradingSystemVendor, NextSeqNo and KeepAliveInterval (ms) come after the four.
#
# HMAC is put together from two SHA-256 (RFC 2104), because `openssl dgst -macopt hexkey:...` would show the secret to
# everyone who lists the processes. Needs openssl.
set -eu
export LC_ALL=C
if [ $# -ne 5 ] && [ $# -ne 10 ]; then sed -n 2p "$0" >&2; exit 1; fi
key_file=$1; shift

hex() { od -An -v -tx1 | tr -d ' \n'; }
bytes() { # hexadecimal text on standard input -> bytes, each one XOR $1
    for byte in $(sed 's/../& /g'); do printf '%b' "\\0$(printf %03o $((0x$byte ^ $1)))"; done
}

secret=$(sed -n 's/.*"secret_key": *"\([^"=]*\)=*".*/\1/p' "$key_file" | tr -- '-_' '+/') # decode it first
secret=$(printf '%s=' "$secret" | openssl base64 -d -A | hex)
[ ${#secret} -eq 64 ] || { echo "$key_file holds no secret_key" >&2; exit 1; }
key=$secret$(printf '%064d' 0) # the key of the hash is one block: 64 bytes

text() { # one line feed between two values, none at the end
    printf '%s' "$1"; shift
    for value; do printf '\n%s' "$value"; done
}
inner=$({ printf '%s' "$key" | bytes 0x36; text "$@"; } | openssl dgst -sha256 -binary | hex)
{ printf '%s' "$key" | bytes 0x5c; printf '%s' "$inner" | bytes 0; } | openssl dgst -sha256 -binary | hex
echo
