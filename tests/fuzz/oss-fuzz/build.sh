#!/bin/bash
# Builds the fuzz targets for OSS-Fuzz, in the root of the tree: into $OUT, by $CC, $CXX, $CFLAGS and $LIB_FUZZING_ENGINE.
# "make oss-fuzz" runs it with the clang that is here.
set -euo pipefail

: "${OUT:?}" "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}"
targets=()
for source in tests/fuzz/fuzz_*.c; do
	name=${source##*/fuzz_}
	targets+=("${name%.c}")
done
# What is linked beside the program stands in $OUT/lib: the targets run in another image.
make -j"$(nproc)" FUZZING=oss CC="$CC" CFLAGS="${CFLAGS:-}" FUZZ_CF="" FUZZ_LD="${CXXFLAGS:-${CFLAGS:-}}" \
	FUZZ_CC="$CXX" FUZZ_ENGINE="$LIB_FUZZING_ENGINE" LDFLAGS="-Wl,-rpath,'\$\$ORIGIN/lib'" \
	"${targets[@]/#/build/fuzz-oss/fuzz/run_}"
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
tests/fuzz/pack --unpack "$seeds"
mkdir -p "$OUT/lib"
for target in "${targets[@]}"; do
	cp "build/fuzz-oss/fuzz/run_$target" "$OUT/fuzz_$target"
	ldd "$OUT/fuzz_$target" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' |
		{ grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv|ld-linux[^/]*)\.so' || true; } |
		xargs -r cp -n -t "$OUT/lib"
	python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2])' \
		"$OUT/fuzz_${target}_seed_corpus" "$seeds/$target"
	printf '[libfuzzer]\nmax_len = 65536\n' >"$OUT/fuzz_$target.options"
done
