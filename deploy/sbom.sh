#!/usr/bin/env bash
# Software bills of materials (CycloneDX, JSON): every package that Pulse ships with its version, licence and hash.
#
#   deploy/sbom.sh DIR    makes DIR/pulse.cdx.json (the .NET packages of both images), DIR/pages.cdx.json (the npm packages in the pages'
#                         script) and DIR/client.cdx.json (the dependencies of @pulse-presence/client)
#
# Needs the .NET SDK, Node.js and the package feeds. The parts that the images take from their base (.NET itself, Ubuntu) are in the base's
# own list.
set -euo pipefail

out=${1:-}
if [[ -z $out ]]; then
  printf 'sbom.sh: a directory is missing; see the head of %s\n' "$0" >&2
  exit 1
fi
mkdir -p "$out"
out=$(cd -- "$out" && pwd)
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# npm's lists come from the lock files, so an installation is unnecessary.
for package in src/Pulse.Web/Client:pages clients/typescript:client; do
  npm sbom --sbom-format cyclonedx --omit dev --package-lock-only --prefix "${package%:*}" >"$out/${package#*:}.cdx.json"
done

# Pulse.Web references Pulse.Silo, so its list has the packages of both. The tool reads the result of the restore.
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
dotnet restore src/Pulse.Web --verbosity quiet
dotnet tool restore --verbosity quiet
dotnet tool run dotnet-CycloneDX src/Pulse.Web/Pulse.Web.csproj --disable-package-restore --no-serial-number --output-format Json \
  --set-name pulse --set-version "$version" --output "$out" --filename pulse.cdx.json >"$out/tool.log" || { cat "$out/tool.log" >&2; exit 1; }
rm -- "$out/tool.log"
