# Pulse's two images, for PostgreSQL and Redis (connection strings and all other options are settings: docs/settings.md):
#
#   docker build --target web -t pulse-web .
#   docker build --target silo -t pulse-silo .
#
# For a release add --build-arg VERSION=0.1.0 --build-arg REVISION=$(git rev-parse HEAD) --build-arg SOURCE=<address of the repository>, which
# the images' labels then have.

FROM node:24-bookworm-slim AS node

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
# For the pages' TypeScript, which is part of the .NET build.
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /source
# The files that determine the packages, in a layer of their own, because they change seldom.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Pulse.Grains.Interfaces/Pulse.Grains.Interfaces.csproj src/Pulse.Grains.Interfaces/
COPY src/Pulse.Grains/Pulse.Grains.csproj src/Pulse.Grains/
COPY src/Pulse.Silo/Pulse.Silo.csproj src/Pulse.Silo/
COPY src/Pulse.Web/Pulse.Web.csproj src/Pulse.Web/
COPY src/Pulse.Web/Client/Client.targets src/Pulse.Web/Client/
COPY src/Process.props src/
RUN dotnet restore src/Pulse.Web
COPY sql sql
COPY clients/typescript/src clients/typescript/src
COPY src src
# With a restore of its own, because compiling ahead, which only publishing does, also needs the compiler and the target's runtime.
RUN dotnet publish src/Pulse.Silo -c Release -o /out/silo -p:UseAppHost=false \
 && dotnet publish src/Pulse.Web -c Release -o /out/web -p:UseAppHost=false

# "chiseled" leaves shell and package manager out. "extra" has the ICU data that normalising e-mail addresses needs.
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra AS base
WORKDIR /app
USER $APP_UID
ENV ASPNETCORE_HTTP_PORTS=8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# The arguments of this stage are for its labels only, so that another revision leaves the layers of the build unchanged.
ARG VERSION=0.0.0-local
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.vendor="The Pulse authors" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.base.name="mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra"

FROM base AS silo
LABEL org.opencontainers.image.title="pulse-silo" \
      org.opencontainers.image.description="A silo of Pulse: the grains of users and conversations"
COPY --from=build /out/silo .
# Silos, front ends as their clients.
EXPOSE 11111 30000
# Checks that the process lives. /health/ready also checks its stores. Long enough for a start that waits for its database.
HEALTHCHECK --interval=10s --timeout=6s --start-period=90s --retries=3 \
  CMD ["dotnet", "Pulse.Silo.dll", "--healthcheck", "http://localhost:8080/health/live"]
ENTRYPOINT ["dotnet", "Pulse.Silo.dll"]

FROM base AS web
LABEL org.opencontainers.image.title="pulse-web" \
      org.opencontainers.image.description="A front end of Pulse: REST, the SignalR hub, sign-in and pages"
COPY --from=build /out/web .
HEALTHCHECK --interval=10s --timeout=6s --start-period=90s --retries=3 \
  CMD ["dotnet", "Pulse.Web.dll", "--healthcheck", "http://localhost:8080/health/live"]
ENTRYPOINT ["dotnet", "Pulse.Web.dll"]
