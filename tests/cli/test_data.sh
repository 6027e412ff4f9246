# The data commands.
. "$SOURCE/tests/cli/lib.sh"

expect 0 "$RESNET" data show $tiny_data --sheet sheet.png
holds out "256 images of 3 x 32 x 32"
holds out "^mean  *0\."
[ "$(head -c 4 sheet.png | od -An -tx1 | tr -d ' ')" = 89504e47 ] || fail "the sheet is no PNG"
expect 0 "$RESNET" data show $tiny_data --json
holds out '"count":[[:space:]]*256'
usage_error "'--sheet' expects a name that ends in .png, found 'cat.jpg'" data show $tiny_data \
    --sheet cat.jpg
failure "no-such" data show $tiny_data --sheet no-such/sheet.png

# How fast data are made.
usage_error "unknown recipe 'quikc'" data bench shapes --recipe quikc
usage_error "'--serve' excludes '--steps' and '--json'" data bench shapes --serve --steps 5
RESNET_THREADS=100 expect 0 "$RESNET" data bench $tiny_data --recipe quick --batch 4 --steps 1 --json
holds out '"workers":[[:space:]]*64'

mkdir empty
failure "empty" data show empty
failure "empty" data verify empty

mkdir cifar
for batch in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
    head -c 3073 /dev/zero >cifar/$batch.bin
done
expect 0 "$RESNET" data show cifar
expect 1 "$RESNET" data verify cifar # sums are not CIFAR-10's
holds out "^WRONG .*data_batch_1.bin"
head -c 3000 /dev/zero >cifar/data_batch_2.bin
failure "data_batch_2.bin.*3000" data show cifar

# Nobody listens on port 1.
expect 1 "$RESNET" data download cifar10 --to data --url http://127.0.0.1:1/cifar.tar.gz
grep -q "^resnet: error: " err || fail "no error for a server that is not there"
finish
