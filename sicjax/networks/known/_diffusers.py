"""The networks of latent and of plain diffusion, as diffusers has them."""

from __future__ import annotations

from sicjax.networks.graph import Flow, cut
from sicjax.networks.known._walk import Unlike, Walk


def autoencoder(walk: Walk) -> None:
    """`AutoencoderKL`: from an image to the mean of its latents, and back."""
    x = walk.conv(None, "encoder.conv_in")
    for block in walk.blocks("encoder.down_blocks"):
        for name in walk.blocks(f"{block}.resnets"):
            x = _residual(walk, x, name)
        x = _smaller(walk, x, block)
    x = walk.conv(_middle(walk, x, "encoder.mid_block"), "encoder.conv_out")
    x = walk.conv(x, "quant_conv") if walk.has("quant_conv") else x
    half, moments = x.shape[1] // 2, x  # the mean, then the logarithm of the variance
    x = walk.graph.follow(lambda: cut(moments, {1: slice(half)}), [moments], "chunk")
    x = walk.conv(x, "post_quant_conv") if walk.has("post_quant_conv") else x
    x = _middle(walk, walk.conv(x, "decoder.conv_in"), "decoder.mid_block")
    for block in walk.blocks("decoder.up_blocks"):
        for name in walk.blocks(f"{block}.resnets"):
            x = _residual(walk, x, name)
        x = _larger(walk, x, block)
    walk.conv(x, "decoder.conv_out")


def unet(walk: Walk) -> None:
    """`UNet2DModel` and `UNet2DConditionModel`: each value on the way down is beside one on the way up."""
    x = walk.conv(None, "conv_in")
    kept = [x]
    for block in walk.blocks("down_blocks"):
        for k, name in enumerate(walk.blocks(f"{block}.resnets")):
            x = _attention(walk, _residual(walk, x, name), f"{block}.attentions.{k}")
            kept.append(x)
        if walk.has(f"{block}.downsamplers.0.conv"):
            x = _smaller(walk, x, block)
            kept.append(x)
    x = _middle(walk, x, "mid_block")
    for block in walk.blocks("up_blocks"):
        for k, name in enumerate(walk.blocks(f"{block}.resnets")):
            if not kept:
                raise Unlike("more residual blocks on the way up than down")
            x = _residual(walk, walk.beside(x, kept.pop()), name)
            x = _attention(walk, x, f"{block}.attentions.{k}")
        x = _larger(walk, x, block)
    if kept:
        raise Unlike("fewer residual blocks on the way up than down")
    walk.conv(x, "conv_out")


def _residual(walk: Walk, x: Flow, name: str) -> Flow:
    y = walk.conv(walk.conv(x, f"{name}.conv1"), f"{name}.conv2")
    around = f"{name}.conv_shortcut"
    return walk.add(y, walk.conv(x, around) if walk.has(around) else x)


def _middle(walk: Walk, x: Flow, name: str) -> Flow:
    for k, block in enumerate(walk.blocks(f"{name}.resnets")):
        x = _attention(walk, x, f"{name}.attentions.{k - 1}") if k else x
        x = _residual(walk, x, block)
    return x


def _attention(walk: Walk, x: Flow, name: str) -> Flow:
    """A value plus its attention; the blocks of a transformer, around which values go too, may be in convolutions."""
    if not walk.has(f"{name}.proj_in"):
        return x
    return walk.add(x, walk.conv(walk.conv(x, f"{name}.proj_in"), f"{name}.proj_out"))


def _smaller(walk: Walk, x: Flow, block: str) -> Flow:
    name = f"{block}.downsamplers.0.conv"
    return walk.conv(x, name, 2) if walk.has(name) else x


def _larger(walk: Walk, x: Flow, block: str) -> Flow:
    name = f"{block}.upsamplers.0.conv"
    return walk.conv(walk.nearest(x), name) if walk.has(name) else x
