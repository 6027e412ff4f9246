# resnet data preview: the contact sheet of augmented pictures.
. "$SOURCE/tests/cli/lib.sh"

# side FILE OFFSET: width (16) or height (20) of a PNG
side() {
    od -An -tu1 -j "$2" -N 4 "$1" | awk '{ print $3 * 256 + $4 }'
}

# A set of 32 x 32 pictures: drawn twice as large, 4 pixels between; the plain column stands apart.
expect 0 "$RESNET" data preview $tiny_data --out a.png --count 3 --views 2
holds out "3 pictures.*2 epochs.*'shapes'.*a.png"
[ "$(head -c 4 a.png | od -An -tx1 | tr -d ' ')" = 89504e47 ] || fail "the sheet is no PNG"
[ "$(side a.png 16)" -eq $((8 + 3 * 68)) ] || fail "the sheet is $(side a.png 16) wide"
[ "$(side a.png 20)" -eq $((4 + 3 * 68)) ] || fail "the sheet is $(side a.png 20) high"

# The same again, and another with another seed or other options.
expect 0 "$RESNET" data preview $tiny_data --out b.png --count 3 --views 2
cmp -s a.png b.png || fail "the same command gave another sheet"
for other in "--seed 7" "--randaugment 2" "--erase 1" "--crop area" "--no-flip --pad 0" \
    "--set hue=0.3"; do
    # shellcheck disable=SC2086 # options with their values
    expect 0 "$RESNET" data preview $tiny_data --out b.png --count 3 --views 2 $other
    cmp -s a.png b.png && fail "'$other' changes nothing"
done

# Pictures given directly: colour, gray, one pixel.
{ printf 'P6 40 25 255\n'; head -c 3000 /dev/zero | tr '\0' 'z'; } >colour.ppm
{ printf 'P5 7 90 255\n'; head -c 630 /dev/zero | tr '\0' 'k'; } >gray.pgm
printf 'P6 1 1 255\nabc' >pixel.ppm
for recipe in paper-imagenet modern; do
    expect 0 "$RESNET" data preview colour.ppm gray.pgm pixel.ppm --recipe $recipe --size 48 \
        --views 3 --out c.png
    [ "$(side c.png 16)" -eq $((8 + 4 * 100)) ] || fail "the sheet is $(side c.png 16) wide"
done
failure "missing.ppm" data preview colour.ppm missing.ppm
head -c 100 colour.ppm >short.ppm
failure "short.ppm" data preview short.ppm
failure "no-such" data preview colour.ppm --out no-such/sheet.png

# Pictures are not drawn over, whether --out says so or not.
cp a.png preview.png
for out in "" "--out ./preview.png"; do
    # shellcheck disable=SC2086 # options with their values
    usage_error "would replace the picture 'preview.png' itself" data preview preview.png $out
done
cmp -s a.png preview.png || fail "the sheet has replaced the picture"
usage_error "'--out' expects a name that ends in .png, found 'cat.jpg'" data preview colour.ppm \
    --out cat.jpg

# A folder of photographs.
mkdir -p photos/train/red photos/train/blue
cp colour.ppm photos/train/red/1.ppm
cp pixel.ppm photos/train/blue/2.ppm
expect 0 "$RESNET" data preview photos --size 32 --out d.png
holds out "2 pictures.*'modern'"

usage_error "crop.*round" data preview $tiny_data --crop round
usage_error "unknown recipe" data preview $tiny_data --recipe mordern
usage_error "resize_low" data preview $tiny_data --crop resize --resize-low 500
usage_error "hue" data preview $tiny_data --hue 0.6
finish
