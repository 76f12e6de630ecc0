"""Every claim from the results that are there, and on public networks one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sicjax.experiments._statistics import Judged
from sicjax.experiments.claims._edits import c5, c6
from sicjax.experiments.claims._levels import c1, c2, c3, c4
from sicjax.experiments.claims._sweep import c7, c8, c9

Results = Mapping[str, Mapping[str, Any]]


class Claim(NamedTuple):
    """A claim of the paper, and the experiments it is judged from."""

    name: str
    says: str
    experiments: tuple[str, ...]


CLAIMS = (
    Claim("C1", "The generator's ratios concentrate around 1 at every level.", ("gan_levels",)),
    Claim(
        "C2",
        "The discriminator's are broader, most at the finest level, with a heavier tail below 1.",
        ("gan_levels",),
    ),
    Claim("C3", "VAE: the decoder's mode is at 1, the encoder's stays below.", ("vae_levels",)),
    Claim("C4", "The VAE's decoder is broader than the GAN's generator.", ("vae_levels", "gan_levels")),
    Claim("C5", "Removing low-ratio filters spares meaning, removing high-ratio filters removes colour.", ("removal",)),
    Claim("C6", "Dropout between the finest layers raises their dependence and spoils the images.", ("dropout",)),
    Claim("C7", "A smaller beta gives more variety and more concentrated coarse ratios.", ("sweep",)),
    Claim("C8", "At the finest level the worst model is slightly more concentrated.", ("sweep",)),
    Claim("C9", "Enforcing independence may help.", ("penalty",)),
)


def judge_all(results: Results) -> dict[str, tuple[Judged, Judged]]:
    """The claims whose experiments are among the results, on the ratio and on adaptation."""
    return {
        claim.name: _judge(claim.name, results)
        for claim in CLAIMS
        if all(name in results for name in claim.experiments)
    }


def _judge(claim: str, results: Results) -> tuple[Judged, Judged]:
    networks = lambda experiment, name: results[experiment]["networks"][name]
    match claim:
        case "C1":
            return c1(networks("gan_levels", "generator"))
        case "C2":
            return c2(networks("gan_levels", "generator"), networks("gan_levels", "discriminator"))
        case "C3":
            return c3(networks("vae_levels", "encoder"), networks("vae_levels", "decoder"))
        case "C4":
            return c4(networks("vae_levels", "decoder"), networks("gan_levels", "generator"))
        case "C5":
            return c5(results["removal"]["trained"], results["removal"]["share"])
        case "C6":
            return c6(results["dropout"])
        case "C7":
            return c7(results["sweep"]["variants"])
        case "C8":
            return c8(results["sweep"]["variants"])
        case _:
            return c9(results["penalty"]["variants"])


def of_public(results: Results) -> list[tuple[str, str, tuple[Judged, Judged]]]:
    """The claims that can be looked at in public networks: claim, networks, and the numbers, each of a single network.

    A generator and a discriminator belong together if what their sidecars say of the source differs in the file only.
    The VAEs are taken together at the end, as if each were a seed.
    """
    files = results["public"]["files"]
    of = lambda role: {each["file"]: each["networks"][role] for each in files if role in each["networks"]}
    origin = {each["file"]: str(each["source"]).rsplit(" ", 1)[0] for each in files}
    generators, discriminators, encoders, decoders = map(of, ("generator", "discriminator", "encoder", "decoder"))
    found = [("C1", name, c1([levels])) for name, levels in (generators | decoders).items()]
    for name, levels in discriminators.items():
        for other, of_generator in generators.items():
            if origin[name] == origin[other]:
                found.append(("C2", f"{other} and {name}", c2([of_generator], [levels])))
    both = [name for name in encoders if name in decoders]
    found += [("C3", name, c3([encoders[name]], [decoders[name]])) for name in both]
    if len(both) > 1:
        together = c3([encoders[name] for name in both], [decoders[name] for name in both])
        found.append(("C3", f"{len(both)} VAEs together", together))
    for name, levels in decoders.items():
        found += [("C4", f"{name} and {other}", c4([levels], [given])) for other, given in generators.items()]
    if "removal" in results:
        for network in results["removal"]["public"]:
            found.append(("C5", network["file"], c5([network], results["removal"]["share"])))
    return found
