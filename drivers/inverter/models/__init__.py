"""The families of inverters, as data: one TOML file each."""
