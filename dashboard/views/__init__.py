"""The views, a module an object: who may, which object, which form, one call, one answer."""
