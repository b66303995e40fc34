# A Nix flake: `nix run` starts the command, `nix build` makes the packages. The version is Cargo.toml's, the crates Cargo.lock's.
{
  description = "POSIX AIO and libaio on io_uring, for programs that need not change";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      cargo = builtins.fromTOML (builtins.readFile ./Cargo.toml);
    in
    {
      packages = forEach (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "uringaio";
          version = cargo.package.version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          nativeBuildInputs = [ pkgs.llvmPackages.lld ];
          # One `make install` for everything; `make test` has the tests.
          buildPhase = "make all";
          doCheck = false;
          installPhase = "make install PREFIX=$out";
          meta = {
            description = cargo.package.description;
            license = with pkgs.lib.licenses; [
              mit
              asl20
            ];
            platforms = systems;
            mainProgram = "uringaio";
          };
        };
      });
    };
}
